"""A transparency log of Rekor's version 2 and a clock of RFC 3161, for tests only.

    test_log.py

The log keeps its entries in memory and admits whatever it is given; the clock is OpenSSL's own. Both listen on this machine alone and make new keys
at each start. The first line on stdout, one JSON object, says that they are ready and where, and holds what a trusted root needs to believe them:
"url", "tlog" and "timestampAuthority".

    POST /api/v2/log/entries      hashedRekordRequestV002 -> the entry with its proof and a checkpoint
    POST /api/v1/timestamp        a time-stamp request in DER -> the reply

Source: sigstore/architecture-docs, rekor-v2-spec.md; sigstore/rekor-tiles, hashedrekord.proto; RFC 6962 section 2.1; C2SP tlog-checkpoint and
signed-note.
"""
import base64
import datetime
import hashlib
import http.server
import json
import pathlib
import struct
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

ORIGIN = "log.test"


def b64(data):
    return base64.b64encode(data).decode()


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def pair(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def half(count):
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = half(len(leaves))
    return pair(root(leaves[:split]), root(leaves[split:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    split = half(len(leaves))
    if index < split:
        return path(index, leaves[:split]) + [root(leaves[split:])]
    return path(index - split, leaves[split:]) + [root(leaves[:split])]


class Log:
    def __init__(self):
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.id = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + self.raw).digest()
        self.leaves = []

    def checkpoint(self):
        text = f"{ORIGIN}\n{len(self.leaves)}\n{b64(root(self.leaves))}\n"
        return f"{text}\n\u2014 {ORIGIN} {b64(self.id[:4] + self.key.sign(text.encode()))}\n"

    def add(self, request):
        request = request["hashedRekordRequestV002"]
        verifier = request["signature"]["verifier"]
        algorithm = "SHA2_" + verifier["keyDetails"].rsplit("_", 1)[1]
        body = {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
            "data": {"algorithm": algorithm, "digest": request["digest"]}, "signature": request["signature"]}}}
        body = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
        self.leaves.append(hashlib.sha256(b"\x00" + body).digest())
        index = len(self.leaves) - 1
        return {
            "logIndex": str(index), "logId": {"keyId": b64(self.id)}, "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "integratedTime": "0", "canonicalizedBody": b64(body), "inclusionProof": {
                "logIndex": str(index), "rootHash": b64(root(self.leaves)), "treeSize": str(len(self.leaves)),
                "hashes": [b64(one) for one in path(index, self.leaves)], "checkpoint": {"envelope": self.checkpoint()}}}


class Clock:
    CONFIGURATION = """
        [tsa]
        serial = {folder}/serial
        signer_digest = sha256
        default_policy = 1.2.3.4.1
        digests = sha256, sha384, sha512
        ess_cert_id_alg = sha256
        """

    def __init__(self, folder, start):
        self.folder = pathlib.Path(folder)
        authority, key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
        names = [x509.Name.from_rfc4514_string("CN=test-only " + name) for name in ("clock root", "clock")]
        self.root = self.certificate(names[0], names[0], authority, authority, start)
        self.leaf = self.certificate(names[1], names[0], key, authority, start)
        for name, data in (("key.pem", pem(key)), ("leaf.pem", self.leaf.public_bytes(serialization.Encoding.PEM)), ("serial", b"01\n"),
                           ("clock.cnf", self.CONFIGURATION.format(folder=folder).encode())):
            (self.folder / name).write_bytes(data)

    @staticmethod
    def certificate(subject, issuer, key, issuer_key, start):
        is_root = subject == issuer
        made = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=1))
                .add_extension(x509.BasicConstraints(is_root, 0 if is_root else None), critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
                .add_extension(x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False), critical=True))
        if not is_root:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return made.sign(issuer_key, hashes.SHA384())

    def stamp(self, request):
        (self.folder / "request").write_bytes(request)
        names = {name: str(self.folder / name) for name in ("request", "reply", "clock.cnf", "leaf.pem", "key.pem")}
        subprocess.run(["openssl", "ts", "-reply", "-queryfile", names["request"], "-out", names["reply"], "-config", names["clock.cnf"],
                        "-section", "tsa", "-signer", names["leaf.pem"], "-inkey", names["key.pem"]], check=True, capture_output=True)
        return (self.folder / "reply").read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    log, clock = None, None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            if self.path == "/api/v2/log/entries":
                self.answer(201, "application/json", json.dumps(self.log.add(json.loads(body))).encode())
            elif self.path == "/api/v1/timestamp":
                self.answer(201, "application/timestamp-reply", self.clock.stamp(body))
            else:
                self.answer(404, "application/json", b'{"code": 5, "message": "Not Found"}')
        except Exception as error:  # whatever is wrong with a request, its sender shall see
            self.answer(400, "application/json", json.dumps({"code": 3, "message": f"{type(error).__name__}: {error}"}).encode())

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def trust(url, log, clock, start):
    """What a trusted root says of them. Source: sigstore/protobuf-specs, sigstore_trustroot.proto."""
    valid = {"start": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
    spki = log.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    chain = [{"rawBytes": b64(one.public_bytes(serialization.Encoding.DER))} for one in (clock.leaf, clock.root)]
    return {
        "url": url,
        "tlog": {"baseUrl": "https://" + ORIGIN, "hashAlgorithm": "SHA2_256", "logId": {"keyId": b64(log.id)},
                 "publicKey": {"rawBytes": b64(spki), "keyDetails": "PKIX_ED25519", "validFor": valid}},
        "timestampAuthority": {"subject": {"organization": "test-only", "commonName": "test-only clock root"}, "uri": url,
                               "certChain": {"certificates": chain}, "validFor": valid},
    }


if __name__ == "__main__":
    begin = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=1)
    with tempfile.TemporaryDirectory() as place:
        Handler.log, Handler.clock = Log(), Clock(place, begin)
        # One request at a time: the clock works in files.
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        print(json.dumps(trust(f"http://127.0.0.1:{server.server_address[1]}", Handler.log, Handler.clock, begin)), flush=True)
        server.serve_forever()
