"""A certificate authority as Fulcio is one, for tests only: it believes whatever an identity token says.

    test_ca.py

It checks no token's signature, so its certificates prove nothing about anybody. It keeps nothing, listens on this machine alone,
and makes new keys at each start. Its first line on stdout, one JSON object, says that it is ready and where, and holds what a trusted
root needs to believe it: "url", "certificateAuthority" and "ctlog".

    POST /api/v2/signingCert    a request for a certificate, with a token -> a leaf for ten minutes, its intermediate, the root

Source: sigstore/fulcio, fulcio.proto and docs/certificate-specification.md; RFC 6962 section 3.2 for the certificate log's promise.
"""
import base64
import datetime
import hashlib
import http.server
import json
import struct
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

HOUR, LEAF_LIFE = datetime.timedelta(hours=1), datetime.timedelta(minutes=10)
ISSUER_OLD, ISSUER = (ObjectIdentifier("1.3.6.1.4.1.57264.1." + number) for number in ("1", "8"))
PROMISES = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
          "encipher_only", "decipher_only")


def der(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def b64(data):
    return base64.b64encode(data).decode()


def short(tag, content):
    """An element of DER, of fewer than 65536 bytes."""
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x81" + bytes([size]) if size < 256 else b"\x82" + struct.pack("!H", size)
    return bytes([tag]) + length + content


def builder(subject, issuer, key, issuer_key, start, life, usages):
    usage = x509.KeyUsage(**{usage: usage in usages for usage in USAGES})
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
            .not_valid_before(start).not_valid_after(start + life).add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False))


class Authority:
    def __init__(self):
        self.start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - HOUR
        self.root_key, self.key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
        self.log_key = ec.generate_private_key(ec.SECP256R1())
        # sigstore-python reads the common name of an authority.
        names = [x509.Name.from_rfc4514_string("CN=test-only " + name) for name in ("root", "intermediate")]
        self.root = self.authority(names[0], names[0], self.root_key, 1)
        self.intermediate = self.authority(names[1], names[0], self.key, 0)

    def authority(self, subject, issuer, key, depth):
        made = builder(subject, issuer, key.public_key(), self.root_key.public_key(), self.start, 24 * HOUR, ("key_cert_sign", "crl_sign"))
        made = made.add_extension(x509.BasicConstraints(True, depth), critical=True)
        if depth == 0:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        return made.sign(self.root_key, hashes.SHA384())

    def leaf(self, request, claims):
        name = claims.get("email") or claims["sub"]
        name = x509.UniformResourceIdentifier(name) if "://" in name else x509.RFC822Name(name)
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        made = builder(x509.Name([]), self.intermediate.subject, request.public_key(), self.key.public_key(), now, LEAF_LIFE, ("digital_signature",))
        issuer = claims["iss"].encode()
        for value, critical in ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False), (x509.SubjectAlternativeName([name]), True),
                                (x509.UnrecognizedExtension(ISSUER_OLD, issuer), False),  # the text itself
                                (x509.UnrecognizedExtension(ISSUER, short(0x0C, issuer)), False)):  # UTF8String
            made = made.add_extension(value, critical)
        # The log signs the certificate without its promise; that extension comes last, so that the rest stays as it is.
        promise = self.promise(made.sign(self.key, hashes.SHA384()).tbs_certificate_bytes)
        made = made.add_extension(x509.UnrecognizedExtension(PROMISES, short(0x04, promise)), critical=False)
        return made.sign(self.key, hashes.SHA384())

    def promise(self, body):
        stamp = struct.pack("!Q", int(time.time() * 1000))
        entry = b"\x00\x01" + hashlib.sha256(der(self.key.public_key())).digest() + struct.pack("!I", len(body))[1:] + body
        signature = self.log_key.sign(b"\x00\x00" + stamp + entry + b"\x00\x00", ec.ECDSA(hashes.SHA256()))
        one = b"\x00" + self.log_id + stamp + b"\x00\x00" + b"\x04\x03" + struct.pack("!H", len(signature)) + signature
        one = struct.pack("!H", len(one)) + one
        return struct.pack("!H", len(one)) + one

    @property
    def log_id(self):
        return hashlib.sha256(der(self.log_key.public_key())).digest()

    def trust(self, url):
        """What a trusted root says of this authority and its log. Source: sigstore/protobuf-specs, sigstore_trustroot.proto."""
        valid = {"start": self.start.strftime("%Y-%m-%dT%H:%M:%SZ")}
        chain = [{"rawBytes": b64(one.public_bytes(serialization.Encoding.DER))} for one in (self.intermediate, self.root)]
        key = {"rawBytes": b64(der(self.log_key.public_key())), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid}
        return {
            "url": url,
            "certificateAuthority": {"subject": {"organization": "test-only", "commonName": "test-only root"}, "uri": url,
                                     "certChain": {"certificates": chain}, "validFor": valid},
            "ctlog": {"baseUrl": url + "/ct", "hashAlgorithm": "SHA2_256", "publicKey": key, "logId": {"keyId": b64(self.log_id)}},
        }


class Handler(http.server.BaseHTTPRequestHandler):
    authority = Authority()

    def do_POST(self):
        try:
            status, answer = self.signing_cert()
        except Exception as error:  # whatever is wrong with a request, its sender shall see
            status, answer = 400, {"code": 3, "message": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def signing_cert(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/api/v2/signingCert":
            return 404, {"code": 5, "message": "Not Found"}
        kind, token = self.headers["Authorization"].split(" ")
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        if kind != "Bearer" or claims["aud"] != "sigstore" or claims["exp"] < time.time():
            return 401, {"code": 16, "message": "this token is for another service, or too old"}
        request = x509.load_pem_x509_csr(base64.b64decode(json.loads(body)["certificateSigningRequest"], validate=True))
        if not request.is_signature_valid:
            return 400, {"code": 3, "message": "the request is not signed with the key in it"}
        chain = [self.authority.leaf(request, claims), self.authority.intermediate, self.authority.root]
        certificates = [one.public_bytes(serialization.Encoding.PEM).decode() for one in chain]
        return 201, {"signedCertificateEmbeddedSct": {"chain": {"certificates": certificates}}}

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(json.dumps(Handler.authority.trust(f"http://127.0.0.1:{server.server_address[1]}")), flush=True)
    server.serve_forever()
