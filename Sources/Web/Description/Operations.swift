import Domain
import HTTPTypes

// Every call of the API, a table for each area. The order is that of the description.
extension Operation {
    static let accounts: [Operation] = [
        Operation(
            method: .post, path: "/accounts", id: "register", summary: "Open an account.", tag: "accounts", body: "Registration", status: 201,
            answer: .data("Account"), refusals: [409, 503]),
        Operation(
            method: .post, path: "/sessions", id: "signIn", summary: "Sign in; the token is shown once.", tag: "accounts", body: "SignIn",
            status: 201, answer: .dataAnd("Session", ["token": .text]), refusals: [401, 503]),
        Operation(
            method: .delete, path: "/sessions/current", id: "signOut", summary: "End the session that asks.", tag: "accounts", scope: .read,
            answer: .data("SignedOut"), refusals: [409]),
        Operation(
            method: .get, path: "/account", id: "getAccount", summary: "Your account.", tag: "accounts", scope: .read, answer: .data("Account")),
        Operation(
            method: .patch, path: "/account", id: "renameAccount", summary: "Change your name.", tag: "accounts", scope: .write,
            body: "AccountPatch", answer: .data("Account")),
        Operation(
            method: .get, path: "/account/ledger", id: "listLedger", summary: "What came to your account and went from it, newest first.",
            tag: "accounts", scope: .read, query: paging,
            answer: .list("LedgerLine", meta: ["credits": .integer(0...), "credits_held": .integer(0...)])),
        Operation(
            method: .post, path: "/account/password", id: "changePassword", summary: "Change your password; ends your other sessions.",
            tag: "accounts", scope: .write, body: "PasswordChange", answer: .data("Changed"), refusals: [503]),
        Operation(
            method: .get, path: "/api-keys", id: "listAPIKeys", summary: "Your API keys.", tag: "accounts", scope: .read, query: paging,
            answer: .list("APIKey")),
        Operation(
            method: .post, path: "/api-keys", id: "createAPIKey", summary: "Make an API key; it is shown once.", tag: "accounts", scope: .write,
            body: "KeyRequest", status: 201, answer: .dataAnd("APIKey", ["key": .text]), refusals: [409]),
        Operation(
            method: .delete, path: "/api-keys/{id}", id: "revokeAPIKey", summary: "End an API key at once.", tag: "accounts", scope: .write,
            answer: .data("Revoked")),
        Operation(
            method: .get, path: "/account/identity", id: "getIdentity", summary: "What is known of your identity.", tag: "accounts", scope: .read,
            answer: .data("Identity")),
        Operation(
            method: .post, path: "/account/identity/domain", id: "beginDomainProof", summary: "Begin to prove a domain.", tag: "accounts",
            scope: .write, body: "DomainProof", status: 201, answer: .data("Identity")),
        Operation(
            method: .post, path: "/account/identity/domain/check", id: "checkDomainProof", summary: "Look whether the domain serves the token.",
            tag: "accounts", scope: .write, answer: .data("Identity"), refusals: [409]),
        Operation(
            method: .get, path: "/account/signing-identities", id: "listSigningIdentities",
            summary: "By what you sign, newest first; revoked ones too.", tag: "accounts", scope: .read, query: paging,
            answer: .list("SigningIdentity")),
        Operation(
            method: .post, path: "/account/signing-identities", id: "registerSigningIdentity",
            summary: "Register a key or a name that you have shown to be yours.", tag: "accounts", scope: .write, body: "SigningIdentityRequest",
            status: 201, answer: .data("SigningIdentity"), refusals: [409, 503]),
        Operation(
            method: .post, path: "/account/signing-challenges", id: "challengeSigningIdentity",
            summary: "A text to sign, which counts once and for ten minutes.", tag: "accounts", scope: .write, status: 201,
            answer: .data("SigningChallenge")),
        Operation(
            method: .delete, path: "/account/signing-identities/{id}", id: "revokeSigningIdentity", summary: "End a signing identity at once.",
            tag: "accounts", scope: .write, answer: .data("SigningIdentity"), refusals: [409]),
        Operation(
            method: .get, path: "/account/revoked-digests", id: "listRevokedDigests", summary: "Images of yours that nobody may run any more.",
            tag: "accounts", scope: .read, query: paging, answer: .list("RevokedDigest")),
        Operation(
            method: .post, path: "/account/revoked-digests", id: "revokeDigest",
            summary: "Let nobody run your versions of an image any more, and end what runs.", tag: "accounts", scope: .write,
            body: "DigestRevocation", status: 201, answer: .data("RevokedDigest"), refusals: [404, 409]),
    ]

    private static let platform: (name: String, shape: Shape, about: String) = (
        "platform", .string(pattern: "^[^\\x00]*$"), "Such as linux/amd64; needed where the image has several."
    )

    static let publishing: [Operation] = [
        Operation(
            method: .post, path: "/workloads", id: "createSubmission", summary: "Make a draft.", tag: "publishing", scope: .write,
            body: "SubmissionFields", status: 201, answer: .data("Submission"), refusals: [409]),
        Operation(
            method: .get, path: "/submissions", id: "listSubmissions", summary: "Your submissions, newest first.", tag: "publishing", scope: .read,
            query: paging + [("state", .word(SubmissionState.allCases.map(\.rawValue)), "Only in this state.")], answer: .list("Submission")),
        Operation(
            method: .get, path: "/submissions/{submission}", id: "getSubmission", summary: "A submission.", tag: "publishing", scope: .read,
            answer: .data("Submission")),
        Operation(
            method: .patch, path: "/submissions/{submission}", id: "editSubmission", summary: "Change fields of a draft.", tag: "publishing",
            scope: .write, body: "SubmissionPatch", answer: .data("Submission"), refusals: [409]),
        Operation(
            method: .delete, path: "/submissions/{submission}", id: "deleteSubmission", summary: "Delete a draft.", tag: "publishing", scope: .write,
            answer: .data("Deleted"), refusals: [409]),
        Operation(
            method: .post, path: "/submissions/{submission}/transitions", id: "moveSubmission", summary: "Hand in, withdraw or publish.",
            tag: "publishing", scope: .write, body: "Transition", answer: .data("Submission"), refusals: [409, 503]),
        Operation(
            method: .post, path: "/submissions/{submission}/resubmit", id: "resubmit", summary: "Make a new draft of a rejected submission.",
            tag: "publishing", scope: .write, status: 201, answer: .data("Submission"), refusals: [409]),
        Operation(
            method: .get, path: "/submissions/{submission}/scans", id: "getScan", summary: "The newest scan.", tag: "publishing", scope: .read,
            answer: .data("Scan")),
        Operation(
            method: .get, path: "/submissions/{submission}/sbom", id: "getSBOM", summary: "The bill of materials of the pinned digest.",
            tag: "publishing", scope: .read,
            query: [("format", .word(["cyclonedx", "spdx"]), "cyclonedx when left out."), platform],
            answer: .file(["application/vnd.cyclonedx+json", "application/spdx+json"])),
        Operation(
            method: .get, path: "/submissions/{submission}/reports/{scanner}", id: "getScannerReport", summary: "A scanner's own report.",
            tag: "publishing", scope: .read, query: [platform], answer: .file(["application/json"])),
        Operation(
            method: .get, path: "/submissions/{submission}/justifications", id: "listJustifications",
            summary: "What the publisher says of findings, oldest first.", tag: "publishing", scope: .read, answer: .data("Justifications")),
        Operation(
            method: .post, path: "/submissions/{submission}/justifications", id: "justify", summary: "Justify a finding of the newest scan.",
            tag: "publishing", scope: .write, body: "JustificationRequest", status: 201, answer: .data("Justification"), refusals: [409]),
        Operation(
            method: .delete, path: "/submissions/{submission}/justifications/{justification}", id: "withdrawJustification",
            summary: "Take a justification back.", tag: "publishing", scope: .write, answer: .data("Justification"), refusals: [409]),
        Operation(
            method: .get, path: "/submissions/{submission}/vex", id: "getVEX", summary: "The countersigned justifications as OpenVEX.",
            tag: "publishing", scope: .read, answer: .document(.object([("@context", .text), ("statements", .array(.object([])))]))),
        Operation(
            method: .get, path: "/submissions/{submission}/events", id: "listSubmissionEvents", summary: "What happened, oldest first.",
            tag: "publishing", scope: .read, answer: .data("Events")),
    ]

    static let review: [Operation] = [
        Operation(
            method: .get, path: "/review/queue", id: "listReviewQueue", summary: "What waits for review, oldest first.", tag: "review",
            scope: .review, query: paging, answer: .list("Submission", meta: ["waiting": .reference("WaitingTimes")])),
        Operation(
            method: .get, path: "/review/submissions/{submission}", id: "getDossier", summary: "Everything a reviewer needs.", tag: "review",
            scope: .review, answer: .data("Dossier")),
        Operation(
            method: .post, path: "/review/submissions/{submission}/approve", id: "approve", summary: "Approve at a trust level.", tag: "review",
            scope: .review, body: "Approval", answer: .data("Submission"), refusals: [409]),
        Operation(
            method: .post, path: "/review/submissions/{submission}/reject", id: "reject", summary: "Reject with a reason and its rule.",
            tag: "review", scope: .review, body: "Rejection", answer: .data("Submission"), refusals: [409]),
        Operation(
            method: .post, path: "/review/submissions/{submission}/justifications/{justification}/countersign", id: "countersign",
            summary: "Agree to a justification.", tag: "review", scope: .review, answer: .data("Justification"), refusals: [409]),
        Operation(
            method: .get, path: "/review/certifications", id: "listCertifications", summary: "Certifications that wait, oldest first.",
            tag: "review", scope: .review, query: paging, answer: .list("CertificationRequest")),
        Operation(
            method: .post, path: "/review/workloads/{slug}/certification/approve", id: "certify", summary: "Raise a Cargo to level 2.",
            tag: "review", scope: .review, body: "OptionalNote", answer: .data("Certification"), refusals: [409]),
        Operation(
            method: .post, path: "/review/workloads/{slug}/certification/reject", id: "refuseCertification", summary: "Refuse a certification.",
            tag: "review", scope: .review, body: "LongReason", answer: .data("Certification"), refusals: [409]),
    ]

    static let registry: [Operation] = [
        Operation(
            method: .get, path: "/workloads", id: "listWorkloads", summary: "Search the Cargo Registry.", tag: "registry", scope: .read,
            query: paging + [
                ("query", .string(pattern: "^[^\\x00]*$"), "Words that must be there; the last may be a beginning."),
                ("category", .string(pattern: "^[^\\x00]*$"), "Exactly this category."), ("tag", .string(pattern: "^[^\\x00]*$"), "Has this tag."),
                ("runtime_type", .word(RuntimeType.allCases.map(\.rawValue)), "This kind of program."),
                ("trust_level", .integer(0...3), "This trust level."), ("tier", .word(Tier.allCases.map(\.rawValue)), "This tier."),
                ("verified", .boolean, "Has the verified badge, or has not."),
                ("sort", .word(["relevance", "jobs", "reputation", "newest", "price"]), "The order."),
                ("facets", .boolean, "Also count the answer's categories, tags and so on."),
            ], answer: .list("Workload", meta: ["facets?": .reference("Facets")])),
        Operation(
            method: .get, path: "/workloads/{slug}", id: "getWorkload", summary: "A published Cargo.", tag: "registry", scope: .read,
            answer: .data("Workload")),
        Operation(
            method: .get, path: "/workloads/{slug}/signature", id: "getSignature",
            summary: "The signature of its version, whole: what the verified badge rests on.", tag: "registry", scope: .read,
            answer: .data("Signature")),
        Operation(
            method: .get, path: "/workloads/{slug}/certification", id: "getCertification", summary: "What a Cargo has and lacks for level 2.",
            tag: "registry", scope: .read, answer: .data("Certification")),
        Operation(
            method: .post, path: "/workloads/{slug}/certification", id: "requestCertification", summary: "Ask for level 2.", tag: "registry",
            scope: .write, status: 201, answer: .data("Certification"), refusals: [409]),
        Operation(
            method: .get, path: "/workloads/{slug}/versions", id: "listVersions", summary: "Its versions, newest first.", tag: "registry",
            scope: .read, query: paging, answer: .list("Version")),
    ]

    static let jobs: [Operation] = [
        Operation(
            method: .post, path: "/jobs", id: "createJob", summary: "Send a job.", tag: "jobs", scope: .write, takesIdempotencyKey: true,
            body: "JobRequest", status: 201,
            answer: .data("Job"), refusals: [402, 404, 409]),
        Operation(
            method: .get, path: "/jobs", id: "listJobs", summary: "Your jobs, newest first.", tag: "jobs", scope: .read,
            query: paging + [
                ("status", .word(JobState.allCases.map(\.rawValue)), "Only in this state."),
                ("batch", .string(pattern: "^[^\\x00]*$"), "Only of this batch."),
            ], answer: .list("Job")),
        Operation(method: .get, path: "/jobs/{id}", id: "getJob", summary: "A job.", tag: "jobs", scope: .read, answer: .data("Job")),
        Operation(
            method: .delete, path: "/jobs/{id}", id: "cancelJob", summary: "Cancel a job.", tag: "jobs", scope: .write, answer: .data("Job"),
            refusals: [409]),
        Operation(
            method: .get, path: "/jobs/{id}/output", id: "getJobOutput", summary: "What a job wrote.", tag: "jobs", scope: .read,
            answer: .data("JobOutput"), refusals: [409, 410]),
        Operation(
            method: .delete, path: "/jobs/{id}/transcript", id: "eraseJob", summary: "Erase a job's input and transcript.", tag: "jobs",
            scope: .write, answer: .data("Job"), refusals: [409]),
        Operation(
            method: .get, path: "/jobs/{id}/placement", id: "explainPlacement",
            summary: "Why a job was given to its Island, or what keeps it from every one.", tag: "jobs", scope: .read, answer: .data("Placement")),
        Operation(
            method: .get, path: "/jobs/{id}/stream", id: "streamJob", summary: "A job's records as server-sent events.", tag: "jobs", scope: .read,
            query: [("from", .integer(0...), "The first record wanted.")], answer: .events, refusals: [410]),
        Operation(
            method: .get, path: "/jobs/{id}/ws", id: "followJob", summary: "A job's records over a WebSocket.", tag: "jobs", scope: .read,
            query: [("from", .integer(0...), "The first record wanted.")], status: 101, answer: .socket, refusals: [410]),
    ]

    static let batches: [Operation] = [
        Operation(
            method: .post, path: "/batches", id: "createBatch", summary: "Send up to 100 jobs of one Cargo; all are taken, or none.", tag: "jobs",
            scope: .write, takesIdempotencyKey: true, body: "BatchRequest", status: 201, answer: .data("Batch"), refusals: [402, 404, 409]),
        Operation(
            method: .get, path: "/batches", id: "listBatches", summary: "Your batches, newest first.", tag: "jobs", scope: .read, query: paging,
            answer: .list("BatchSummary")),
        Operation(
            method: .get, path: "/batches/{id}", id: "getBatch", summary: "A batch and how its jobs stand.", tag: "jobs", scope: .read,
            answer: .data("Batch")),
        Operation(
            method: .delete, path: "/batches/{id}", id: "cancelBatch", summary: "Cancel every job of a batch that is not over.", tag: "jobs",
            scope: .write, answer: .data("Batch")),
    ]

    static let chat: [Operation] = [
        Operation(
            method: .get, path: "/models", id: "listModels", summary: "Cargos that take conversations, as OpenAI's clients list models.", tag: "chat",
            scope: .read,
            answer: .document(
                .object([("object", .word(["list"])), ("data", .array(.object([("id", .text), ("created", .integer), ("owned_by", .text)])))]))),
        Operation(
            method: .post, path: "/chat/completions", id: "createChatCompletion",
            summary: "A conversation with a Cargo, as OpenAI's clients ask for it; with stream, as server-sent events.", tag: "chat", scope: .write,
            takesIdempotencyKey: true, body: "ChatRequest",
            answer: .document(.object([("id", .text), ("choices", .array(.object([]))), ("usage", .object([]))])), refusals: [402, 404, 409, 503]),
    ]

    static let islands: [Operation] = [
        Operation(
            method: .post, path: "/islands", id: "registerIsland", summary: "Register an Island; its token is shown once.", tag: "islands",
            scope: .write, body: "IslandRegistration", status: 201, answer: .dataAnd("Island", ["token": .text])),
        Operation(
            method: .get, path: "/islands", id: "listIslands", summary: "Your Islands.", tag: "islands", scope: .read, query: paging,
            answer: .list("Island")),
        Operation(method: .get, path: "/islands/{id}", id: "getIsland", summary: "An Island.", tag: "islands", scope: .read, answer: .data("Island")),
        Operation(
            method: .post, path: "/islands/{id}/drain", id: "drainIsland", summary: "Give it no new jobs.", tag: "islands", scope: .write,
            answer: .data("Island")),
        Operation(
            method: .post, path: "/islands/{id}/resume", id: "resumeIsland", summary: "Give it new jobs again.", tag: "islands", scope: .write,
            answer: .data("Island")),
        Operation(
            method: .get, path: "/islands/{id}/karma", id: "listKarma", summary: "Changes of its karma, newest first.", tag: "islands", scope: .read,
            query: paging, answer: .list("KarmaEvent")),
        Operation(
            method: .get, path: "/islands/link", id: "linkIsland", summary: "Where an Island connects, with its token.", tag: "islands",
            scope: .island, status: 101, answer: .socket),
    ]

    static let notifications: [Operation] = [
        Operation(
            method: .get, path: "/notifications", id: "listNotifications", summary: "What you were told, newest first.", tag: "notifications",
            scope: .read, query: paging + [("unread", .boolean, "Only what is unread.")],
            answer: .list("Notification", meta: ["unread": .integer(0...)])),
        Operation(
            method: .post, path: "/notifications/read-all", id: "readAllNotifications", summary: "Mark all as read.", tag: "notifications",
            scope: .write, answer: .data("ReadCount")),
        Operation(
            method: .post, path: "/notifications/{notification}/read", id: "readNotification", summary: "Mark one as read.", tag: "notifications",
            scope: .write, answer: .data("Notification")),
        Operation(
            method: .get, path: "/webhooks", id: "listWebhooks", summary: "Your webhooks.", tag: "notifications", scope: .read,
            answer: .list("Webhook")),
        Operation(
            method: .post, path: "/webhooks", id: "createWebhook", summary: "Add a webhook; its secret is shown once.", tag: "notifications",
            scope: .write, body: "WebhookRequest", status: 201, answer: .dataAnd("Webhook", ["secret": .text]), refusals: [409]),
        Operation(
            method: .delete, path: "/webhooks/{id}", id: "deleteWebhook", summary: "Remove a webhook.", tag: "notifications", scope: .write,
            answer: .data("Deleted")),
        Operation(
            method: .get, path: "/webhooks/{id}/deliveries", id: "listDeliveries", summary: "Its deliveries, newest first.", tag: "notifications",
            scope: .read, query: paging, answer: .list("Delivery")),
        Operation(
            method: .post, path: "/webhooks/{id}/deliveries/{delivery}/redeliver", id: "redeliver", summary: "Send an event again.",
            tag: "notifications", scope: .write, answer: .data("Delivery")),
    ]

    static let administration: [Operation] = [
        Operation(
            method: .get, path: "/admin/audit", id: "listAudit", summary: "The log of every change, newest first.", tag: "admin", scope: .admin,
            query: paging + [
                ("actor", .string(pattern: "^[^\\x00]*$"), "Done by this account."), ("action", .string(pattern: "^[^\\x00]*$"), "This action."),
                ("subject", .string(pattern: "^[^\\x00]*$"), "Done to this."),
            ], answer: .list("AuditEntry")),
        Operation(
            method: .get, path: "/admin/audit/verify", id: "verifyAudit", summary: "Walk along the log's chain of hashes.", tag: "admin",
            scope: .admin, answer: .data("AuditVerification")),
        Operation(
            method: .post, path: "/admin/rescans", id: "rescanNow", summary: "Scan one published Cargo, or all, again now.", tag: "admin",
            scope: .admin, body: "RescanRequest", status: 202, answer: .data("RescanOutlook"), refusals: [404]),
        Operation(
            method: .get, path: "/admin/accounts", id: "listAccounts", summary: "All accounts, newest first.", tag: "admin", scope: .admin,
            query: paging + [("query", .string(pattern: "^[^\\x00]*$"), "Part of the name or address.")], answer: .list("Account")),
        Operation(
            method: .post, path: "/admin/accounts/{id}/credits", id: "grantCredits", summary: "Give an account credits, or take some back.",
            tag: "admin", scope: .admin, body: "Grant", answer: .data("Credits"), refusals: [409]),
        Operation(
            method: .get, path: "/admin/ledger/verify", id: "verifyLedger", summary: "Add up all books.", tag: "admin", scope: .admin,
            answer: .data("LedgerVerification")),
        Operation(
            method: .post, path: "/admin/accounts/{id}/roles", id: "setRoles", summary: "Give an account exactly these roles.", tag: "admin",
            scope: .admin, body: "Roles", answer: .data("Account"), refusals: [409]),
        Operation(
            method: .post, path: "/admin/publishers/{id}/verify", id: "verifyPublisher", summary: "Record a publisher's identity.", tag: "admin",
            scope: .admin, body: "Verification", answer: .data("Account")),
        Operation(
            method: .post, path: "/admin/publishers/{id}/unverify", id: "unverifyPublisher", summary: "Take a verified identity away.", tag: "admin",
            scope: .admin, body: "Reason", answer: .data("Account"), refusals: [409]),
        Operation(
            method: .post, path: "/admin/workloads/{slug}/official", id: "makeOfficial", summary: "Raise an audited Cargo to level 3.",
            tag: "admin", scope: .admin, body: "AuditReport", answer: .data("Workload"), refusals: [409, 503]),
        Operation(
            method: .post, path: "/admin/workloads/{slug}/suspend", id: "suspend", summary: "Take a Cargo out of the registry.", tag: "admin",
            scope: .admin, body: "Reason", answer: .data("Workload"), refusals: [409]),
        Operation(
            method: .post, path: "/admin/workloads/{slug}/unsuspend", id: "unsuspend", summary: "Bring a suspended Cargo back.", tag: "admin",
            scope: .admin, body: "OptionalReason", answer: .data("Workload"), refusals: [409]),
        Operation(
            method: .get, path: "/admin/revoked-digests", id: "listAllRevokedDigests", summary: "Images that nobody may run any more.",
            tag: "admin", scope: .admin, query: paging, answer: .list("RevokedDigest")),
        Operation(
            method: .post, path: "/admin/revoked-digests", id: "revokeDigestForAll",
            summary: "Let nobody run an image any more, whoever published it, and end what runs.", tag: "admin", scope: .admin,
            body: "DigestRevocation", status: 201, answer: .data("RevokedDigest"), refusals: [409]),
    ]

    static let others: [Operation] = [
        Operation(method: .get, path: "/health", id: "health", summary: "Whether the coordinator runs.", tag: "others", answer: .data("Health")),
        Operation(
            method: .get, path: "/openapi.json", id: "getDescription", summary: "This description.", tag: "others",
            answer: .document(.object([("openapi", .text), ("paths", .object([]))]))),
        Operation(
            method: .get, path: "/trusted-root.json", id: "getTrustedRoot",
            summary: "Sigstore's trusted root of this network: the key of its transparency log.", tag: "others",
            answer: .document(.object([("mediaType", .text), ("tlogs", .array(.object([])))])), refusals: [503]),
    ]
}
