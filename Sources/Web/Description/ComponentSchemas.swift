import Coordinator
import Domain

/// The documents that the API takes and gives, by name.
enum ComponentSchemas {
    static let all: [(String, Shape)] = given + taken

    private static func words<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) -> Shape where Choice.RawValue == String {
        .word(Choice.allCases.map(\.rawValue))
    }

    private static let prices: [(String, Shape)] = [
        ("price_per_job", .integer(0...)), ("price_per_token", .integer(0...)), ("price_per_second", .integer(0...)),
    ]

    private static let finding = Shape.object([
        ("id", .text), ("package", .text), ("version", .text), ("fixed_version", .nullable(.text)), ("severity", words(Severity.self)),
        ("package_url", .nullable(.text)), ("scanners", .array(.text)), ("ratings", .map(words(Severity.self))), ("aliases", .array(.text)),
    ])

    private static let justification = Shape.object([
        ("id", .integer(1...)), ("digest", .text), ("finding", .text), ("package", .text), ("severity", words(Severity.self)),
        ("status", words(VEXStatus.self)), ("reason", .nullable(words(VEXReason.self))), ("statement", .text), ("author_id", .text),
        ("created_at", .time), ("expires_at", .time), ("countersigned_by", .nullable(.text)), ("countersigned_at", .nullable(.time)),
        ("ended_at", .nullable(.time)), ("ended_because", .nullable(.text)),
    ])

    private static let batch: [(String, Shape)] = [
        ("id", .text), ("workload_id", .integer(1...)), ("workload_slug", .text), ("status", .word(["running", "finished"])),
        ("total", .integer(1...100)), ("counts", .object(JobState.allCases.map { ($0.rawValue, .integer(0...)) })), ("created_at", .time),
    ]

    private static let signatureSummary = Shape.object([
        ("verified", .boolean), ("signer", .text), ("log_index", .integer(0...)), ("log_id", .text), ("signed_at", .nullable(.time)),
    ])

    private static let certificationRequest = Shape.object([
        ("id", .integer(1...)), ("slug", .text), ("submission_id", .integer(1...)), ("trust_level", .integer(2...3)),
        ("state", words(CertificationState.self)), ("requested_by", .text), ("requested_at", .time), ("decided_by", .nullable(.text)),
        ("decided_at", .nullable(.time)), ("note", .text), ("ended_at", .nullable(.time)), ("ended_because", .nullable(.text)),
    ])

    private static let counts = Shape.object(Severity.allCases.map { ($0.rawValue, .integer(0...)) })
    private static let problem = Shape.object([("pointer", .text), ("message", .text)])
    private static let problems = Shape.object([("problems", .array(problem))])

    // MARK: What the API gives

    private static let given: [(String, Shape)] = [
        ("Refusal", .object([("error", .object([("code", .text), ("message", .text), ("details", .array(problem))]))])),
        ("Health", .object([("status", .text)])),
        (
            "Account",
            .object([
                ("id", .text), ("email", .text), ("name", .text), ("credits?", .number), ("credits_held?", .number),
                ("standing", words(PublisherStanding.self)),
                ("verified", .boolean), ("roles", .array(words(Role.self))), ("created_at", .time),
            ])
        ),
        ("Credits", .object([("id", .text), ("credits", .number), ("credits_held", .number)])),
        (
            "LedgerLine",
            .object([
                ("id", .integer(1...)), ("at", .time), ("kind", words(TransferKind.self)), ("job_id", .nullable(.text)), ("amount", .integer),
                ("balance", .integer(0...)), ("note", .text),
            ])
        ),
        (
            "LedgerVerification",
            .object([
                ("balanced", .boolean), ("transfers", .integer(0...)), ("credits_issued", .integer(0...)), ("credits_held", .integer(0...)),
                ("faults", .array(.text)),
            ])
        ),
        ("Session", .object([("account", .reference("Account")), ("expires_at", .time)])),
        (
            "APIKey",
            .object([
                ("id", .text), ("name", .text), ("prefix", .text), ("scopes", .array(words(Scope.self))), ("created_at", .time),
                ("last_used_at", .nullable(.time)), ("expires_at", .nullable(.time)),
            ])
        ),
        (
            "Identity",
            .object([
                ("standing", words(PublisherStanding.self)), ("verified", .boolean), ("method", .nullable(.text)), ("domain", .nullable(.text)),
                ("evidence", .nullable(.text)), ("verified_at", .nullable(.time)),
                (
                    "challenge",
                    .nullable(.object([("domain", .text), ("token", .text), ("url", .nullable(.text)), ("created_at", .time)]))
                ),
            ])
        ),
        ("SigningChallenge", .object([("challenge", .text), ("expires_at", .time)])),
        (
            "RevokedDigest",
            .object([("digest", .text), ("for_all", .boolean), ("reason", .text), ("revoked_by", .text), ("revoked_at", .time)])
        ),
        (
            "SigningIdentity",
            .object([
                ("id", .text), ("kind", words(SigningIdentityKind.self)), ("name", .text), ("public_key", .nullable(.text)),
                ("fingerprint", .nullable(.text)), ("issuer", .nullable(.text)), ("identity", .nullable(.text)), ("created_at", .time),
                ("revoked_at", .nullable(.time)),
            ])
        ),
        (
            "Submission",
            .object([
                ("id", .integer(1...)), ("state", words(SubmissionState.self)), ("slug", .text), ("version", .text),
                ("image_digest", .nullable(.text)), ("trust_level", .nullable(.integer(0...3))), ("signature", .nullable(signatureSummary)),
                ("allowed_actions", .array(words(SubmissionAction.self))),
                ("rejection_reason", .nullable(.text)), ("rejection_rule", .nullable(.text)), ("resubmitted_from", .nullable(.integer(1...))),
                ("tag_moved_to", .nullable(.text)), ("created_at", .time), ("updated_at", .time), ("submitted_at", .nullable(.time)),
                ("published_at", .nullable(.time)), ("waiting_seconds?", .integer(0...)),
            ])
        ),
        ("Deleted", .object([("id", .any), ("deleted", .boolean)])), ("Revoked", .object([("id", .text), ("revoked", .boolean)])),
        ("SignedOut", .object([("signed_out", .boolean)])), ("Changed", .object([("changed", .boolean)])),
        ("ReadCount", .object([("read", .integer(0...))])),
        (
            "Scan",
            .object([
                ("state", words(ScanState.self)), ("verdict", .nullable(words(ScanVerdict.self))), ("digest", .text), ("counts", counts),
                ("findings", .array(finding)), ("reports", .array(.object([]))), ("failure", .nullable(.object([]))),
                ("next_try_at", .nullable(.time)), ("disputed", .array(finding)), ("missing_scanners", .array(.text)),
                (
                    "flagged",
                    .nullable(
                        .object([
                            ("severity", words(Severity.self)), ("began_at", .time), ("ends_at", .nullable(.time)),
                            ("suspended_at", .nullable(.time)),
                        ]))
                ),
                (
                    "sbom_referrers",
                    .nullable(
                        .object([
                            ("attached", .array(.object([("media_type", .text), ("platform", .text), ("digest", .text)]))),
                            ("refused", .nullable(.text)),
                        ]))
                ),
                ("warnings", .array(.text)), ("finished_at", .nullable(.time)),
            ])
        ),
        ("Justification", justification), ("Justifications", .array(justification)),
        ("RescanOutlook", .object([("made_due", .integer(0...)), ("planned", .integer(0...)), ("next_at", .nullable(.time))])),
        ("Events", .array(.object([("at", .time), ("action", .text), ("to", .text), ("actor", .text), ("note", .text)]))),
        (
            "Dossier",
            .object([
                ("submission", .reference("Submission")),
                ("publisher", .object([("id", .text), ("name", .text), ("active_cargos", .integer(0...))])),
                ("scan", .nullable(.reference("Scan"))), ("scanners", .array(.object([("counts", counts)]))), ("findings", .array(finding)),
                ("previous", .nullable(.object([("id", .integer(1...)), ("version", .text)]))),
                ("difference", .nullable(.object([("fields", .array(.object([("field", .text), ("from", .any), ("to", .any)])))]))),
                ("schemas", .object([("input", problems), ("output", problems)])),
                ("resources", .array(.object([("name", .text), ("asked", .integer), ("fits_level_0", .boolean), ("fits_level_1", .boolean)]))),
                ("image", .object([("reference", .nullable(.text)), ("digest", .nullable(.text)), ("tag_moved_to", .nullable(.text))])),
                ("checklist", .array(.object([("item", words(ChecklistItem.self)), ("question", .text)]))), ("events", .reference("Events")),
                ("waiting_seconds", .integer(0...)),
            ])
        ),
        ("WaitingTimes", .object([("p50_seconds", .integer(0...)), ("p90_seconds", .integer(0...)), ("max_seconds", .integer(0...))])),
        (
            "Workload",
            .object(
                [
                    ("id", .integer(1...)), ("slug", .text), ("name", .text), ("description", .text), ("runtime_type", words(RuntimeType.self)),
                    ("version", .text), ("tier", words(Tier.self)), ("trust_level", .integer(0...3)), ("verified", .boolean),
                ] + prices + [
                    ("input_schema", .schema), ("output_schema", .schema), ("tags", .array(.text)), ("reputation", .nullable(.number)),
                    ("stats", .object([("jobs_completed", .integer(0...)), ("jobs_failed", .integer(0...))])), ("is_enabled", .boolean),
                    ("published_at", .nullable(.time)), ("signature?", .nullable(signatureSummary)),
                ])
        ),
        (
            "Signature",
            .object([
                ("slug", .text), ("version", .text), ("digest", .text), ("verified", .boolean), ("layout", .word(["bundle", "legacy"])),
                ("kind", words(SigningIdentityKind.self)), ("signer", .text), ("issuer", .nullable(.text)), ("public_key", .nullable(.text)),
                ("log_id", .text), ("log_index", .integer(0...)), ("signed_at", .nullable(.time)), ("verified_at", .time),
                ("bundle", .nullable(.object([]))), ("payload", .nullable(.text)), ("annotations", .nullable(.map(.text))),
            ])
        ),
        ("CertificationRequest", certificationRequest),
        (
            "Certification",
            .object([
                ("slug", .text), ("version", .text), ("trust_level", .integer(0...3)), ("tier", words(Tier.self)), ("badge", .nullable(.text)),
                ("eligible", .boolean),
                (
                    "conditions",
                    .array(.object([("condition", words(CertificationCondition.self)), ("met", .boolean), ("message", .text)]))
                ), ("request", .nullable(certificationRequest)),
            ])
        ),
        (
            "Facets",
            .object(["category", "tag", "runtime_type", "tier", "trust_level", "verified"].map { ($0, .map(.integer(1...))) })
        ),
        (
            "Version",
            .object([
                ("version", .text), ("state", words(SubmissionState.self)), ("trust_level", .nullable(.integer(0...3))), ("tier", .nullable(.text)),
                ("image_digest", .nullable(.text)), ("published_at", .nullable(.time)), ("is_current", .boolean),
            ])
        ),
        (
            "Job",
            .object([
                ("id", .text), ("workload_id", .integer(1...)), ("workload_slug", .text), ("version", .text), ("status", words(JobState.self)),
                ("input", .nullable(.object([]))), ("output", .nullable(.text)), ("error", .nullable(.text)),
                ("fault", .nullable(words(FaultClass.self))),
                ("created_at", .time), ("started_at", .nullable(.time)), ("completed_at", .nullable(.time)),
                ("duration_ms", .nullable(.integer(0...))),
                ("credits_held", .integer(0...)), ("usage", .object([("total_tokens", .integer(0...)), ("credits_used", .number)])),
            ])
        ),
        ("BatchSummary", .object(batch)), ("Batch", .object(batch + [("jobs", .array(.reference("Job")))])),
        ("JobOutput", .object([("id", .text), ("status", words(JobState.self)), ("output", .nullable(.text))])),
        (
            "Island",
            .object([
                ("id", .text), ("name", .text), ("connected", .boolean), ("drained", .boolean), ("karma", .integer), ("capabilities", .any),
                ("last_seen_at", .nullable(.time)), ("created_at", .time),
            ])
        ),
        (
            "KarmaEvent",
            .object([("at", .time), ("change", .integer), ("karma", .integer), ("reason", .text), ("job_id", .nullable(.text))])
        ),
        (
            "Placement",
            .object([
                ("job_id", .text), ("status", words(JobState.self)), ("attempt", .integer(0...)), ("failed_islands", .array(.text)),
                (
                    "decision",
                    .nullable(
                        .object([
                            ("island", .text), ("connected", .integer(0...)), ("fitting", .integer(0...)),
                            ("candidates", .array(.object([("island", .text), ("points", .integer)]))),
                        ]))
                ),
                (
                    "waiting?",
                    .object([
                        ("islands", .integer(0...)), ("fitting", .integer(0...)), ("message", .text),
                        (
                            "obstacles",
                            .array(.object([("reason", words(PlacementObstacle.self)), ("islands", .integer(1...)), ("remedy", .text)]))
                        ),
                    ])
                ),
            ])
        ),
        (
            "Notification",
            .object([
                ("id", .integer(1...)), ("event_id", .text), ("kind", words(EventKind.self)), ("submission_id", .nullable(.integer)),
                ("workload_slug", .nullable(.text)), ("title", .text), ("message", .text), ("created_at", .time), ("read_at", .nullable(.time)),
            ])
        ),
        (
            "Webhook",
            .object([
                ("id", .text), ("url", .text), ("events", .array(words(EventKind.self))), ("created_at", .time),
                ("last_delivery_at", .nullable(.time)), ("last_status", .nullable(.integer)), ("failing_since", .nullable(.time)),
            ])
        ),
        (
            "Delivery",
            .object([
                ("id", .integer(1...)), ("event_id", .text), ("kind", words(EventKind.self)), ("state", words(DeliveryState.self)),
                ("tries", .integer(0...)), ("status", .nullable(.integer)), ("error", .nullable(.text)), ("created_at", .time),
                ("next_try_at", .nullable(.time)), ("delivered_at", .nullable(.time)),
            ])
        ),
        (
            "AuditEntry",
            .object([
                ("number", .integer(1...)), ("at", .time), ("actor", .text), ("action", .text), ("subject", .text), ("before", .any), ("after", .any),
                ("previous_hash", .text), ("hash", .text),
            ])
        ),
        (
            "AuditVerification",
            .object([
                ("intact", .boolean), ("entries", .integer(0...)), ("head", .text), ("broken_at", .nullable(.integer(1...))), ("message", .text),
            ])
        ),
    ]

    // MARK: What the API takes

    private static let fields: [(String, Shape)] =
        [
            ("name", .words(200)), ("slug", .string(pattern: "^[a-z0-9-]{3,63}$")), ("description", .words(10_000)),
            ("runtime_type", words(RuntimeType.self)),
            (
                "container_image",
                .string(
                    pattern:
                        "^(ghcr\\.io/archipelag-io|docker\\.io/archipelag)/[a-z0-9]+(-[a-z0-9]+)*:v(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,3})$",
                    length: 1...200)
            ),
            ("input_schema", .reference("JSONSchema")), ("output_schema", .reference("JSONSchema")),
        ] + [
            ("price_per_job?", .integer(0...Prices.priceMax)), ("price_per_token?", .integer(0...Prices.priceMax)),
            ("price_per_second?", .integer(0...Prices.priceMax)),
        ]
        + [
            ("required_vram_mb?", .integer(0...1_048_576)), ("required_cpu_cores?", .integer(1...1024)),
            ("required_ram_mb?", .integer(1...16_777_216)), ("category?", .string(pattern: "^[^\\x00]*$", length: 0...64)),
            ("tags?", .array(.string(pattern: "^[^\\x00]+$", length: 1...64), most: 32)), ("revenue_share?", .integer(0...100)),
            ("image_digest?", .string(pattern: "^sha256:[0-9a-f]{64}$")),
            ("version?", .string(pattern: "^v?(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,3})$")),
        ]

    private static let taken: [(String, Shape)] = [
        ("JSONSchema", .schema),
        (
            "SubmissionFields",
            .both(
                .object(fields, isOpen: false),
                anyOf: ["price_per_job", "price_per_token", "price_per_second"].map { .object([($0, .integer(1...Prices.priceMax))]) })
        ),
        (
            "SubmissionPatch",
            .object(fields.filter { $0.0 != "slug" }.map { ($0.0.hasSuffix("?") ? $0.0 : $0.0 + "?", $0.1) }, isOpen: false)
        ),
        ("Transition", .object([("to", .word(["pending_review", "draft", "published"]))], isOpen: false)),
        (
            "Approval",
            .object(
                [
                    ("trust_level", .integer(0...2)),
                    ("checklist", .object(ChecklistItem.allCases.map { ($0.rawValue, .boolean) }, isOpen: false)), ("accept_medium?", .boolean),
                    ("note?", .string(pattern: "^[^\\x00]*$", length: 0...10_000)), ("justifications?", .array(.integer(1...))),
                ], isOpen: false)
        ),
        (
            "JustificationRequest",
            .object(
                [
                    ("finding", .words(200)), ("package?", .words(2048)), ("status", words(VEXStatus.self)), ("reason?", words(VEXReason.self)),
                    ("statement", .words(10_000)), ("valid_days?", .integer(1...JustificationRequest.validDaysMax)),
                ], isOpen: false)
        ),
        ("RescanRequest", .object([("workload?", .words(200)), ("all?", .boolean)], isOpen: false)),
        ("Rejection", .object([("reason", .words(10_000)), ("rule", .words(1000))], isOpen: false)),
        (
            "Registration",
            .object(
                [
                    ("email", .string(pattern: "^[a-z0-9]{1,20}@[a-z0-9]{1,20}\\.example$")),
                    ("password", .string(pattern: "^[^\\x00]*$", length: PasswordRule.lengths)), ("name?", .words(200)),
                ], isOpen: false)
        ),
        ("SignIn", .object([("email", .string(pattern: "^[^\\x00]*$")), ("password", .string(pattern: "^[^\\x00]*$"))], isOpen: false)),
        ("AccountPatch", .object([("name", .words(200))], isOpen: false)),
        (
            "PasswordChange",
            .object(
                [
                    ("current_password", .string(pattern: "^[^\\x00]*$")),
                    ("new_password", .string(pattern: "^[^\\x00]*$", length: PasswordRule.lengths)),
                ], isOpen: false)
        ),
        (
            "KeyRequest",
            .object(
                [
                    ("name", .words(200)), ("scopes?", .array(words(Scope.self), least: 1)), ("expires_in_days?", .integer(1...3650)),
                ], isOpen: false)
        ),
        ("DomainProof", .object([("domain", .string(pattern: "^[a-z]{1,20}\\.example$"))], isOpen: false)),
        (
            "DigestRevocation",
            .object([("digest", .string(pattern: "^sha256:[0-9a-f]{64}$")), ("reason", .words(2000))], isOpen: false)
        ),
        (
            "SigningIdentityRequest",
            .object(
                [
                    ("challenge", .string(pattern: "^[^\\x00]*$")), ("name?", .words(SigningIdentityTerms.nameLengthMax)),
                    ("public_key?", .string(pattern: "^[^\\x00]*$")), ("signature?", .string(pattern: "^[^\\x00]*$")),
                    ("issuer?", .string(pattern: "^[^\\x00]*$")), ("identity?", .string(pattern: "^[^\\x00]*$")), ("bundle?", .object([])),
                ], isOpen: false)
        ),
        (
            "JobRequest",
            .object(
                [
                    ("workload", .string(pattern: "^[a-z0-9-]{3,63}$")), ("input", .object([])), ("priority?", .integer(0...100)),
                    ("max_credits?", .integer(0...1_000_000_000)), ("timeout_seconds?", .integer(1...600)),
                    ("retention_hours?", .integer(1...168)), ("regions?", .array(.string(pattern: "^[!-~]+$", length: 1...100), most: 32)),
                ], isOpen: false)
        ),
        (
            "BatchRequest",
            .object(
                [
                    ("workload", .string(pattern: "^[a-z0-9-]{3,63}$")), ("inputs", .array(.object([]), least: 1, most: 100)),
                    ("priority?", .integer(0...100)), ("max_credits?", .integer(0...1_000_000_000)), ("timeout_seconds?", .integer(1...600)),
                ], isOpen: false)
        ),
        (
            "ChatRequest",
            .object([
                ("model", .string(pattern: "^[a-z0-9-]{3,63}$")),
                (
                    "messages",
                    .array(
                        .object([("role", .word(["system", "user", "assistant"])), ("content", .string(pattern: "^[^\\x00]*$"))]), least: 1,
                        most: 10_000)
                ), ("stream?", .boolean), ("max_tokens?", .integer(0...1_000_000_000)), ("max_completion_tokens?", .integer(0...1_000_000_000)),
                ("n?", .integer(1...1)),
            ])
        ),
        ("IslandRegistration", .object([("name", .words(100))], isOpen: false)),
        (
            "WebhookRequest",
            .object(
                [
                    ("url", .string(pattern: "^https://[a-z]{1,20}\\.example/[a-z]{0,20}$")),
                    ("events?", .array(words(EventKind.self))),
                ], isOpen: false)
        ),
        (
            "Grant",
            .object(
                [
                    ("amount", .both(.integer, anyOf: [.integer(-Transfer.creditsMax ... -1), .integer(1...Transfer.creditsMax)])),
                    ("note?", .words(1000)),
                ], isOpen: false)
        ),
        ("Roles", .object([("roles", .array(words(Role.self)))], isOpen: false)),
        (
            "Verification",
            .object([("evidence", .words(2000)), ("standing?", .word(["verified", "first_party"]))], isOpen: false)
        ),
        ("OptionalNote", .object([("note?", .words(10_000))], isOpen: false)), ("LongReason", .object([("reason", .words(10_000))], isOpen: false)),
        ("AuditReport", .object([("report", .words(10_000))], isOpen: false)),
        ("Reason", .object([("reason", .words(2000))], isOpen: false)),
        ("OptionalReason", .object([("reason?", .words(2000))], isOpen: false)),
    ]
}
