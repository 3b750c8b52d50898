set -e
# A CA and stamping certificates of many kinds; keys are thrown away.
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj "/CN=root" -days 36500 -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign" 2>>err.txt
cat > ca.cnf <<C
[ca]
default_ca=d
[d]
database=index.txt
new_certs_dir=.
serial=serial
default_md=sha256
policy=p
unique_subject=no
[p]
commonName=supplied
C
touch index.txt; echo 1001 > serial
leaf() { # name key ext start end
  openssl req -new -newkey $2 -nodes -keyout $1.key -out $1.csr -subj "/CN=$1" 2>>err.txt
  printf "$3" > $1.ext
  openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in $1.csr -out $1.pem -notext -extfile $1.ext -startdate ${4:-20260101000000Z} -enddate ${5:-20991231235959Z} 2>>err.txt
}
stamp() { # out leaf mdalg extra-digest certs(yes/no) ess
  cat > ts.cnf <<C
[tsa]
default_tsa=t
[t]
serial=tsserial
default_policy=1.2.3.4
digests=sha1,sha256,sha384,sha512
signer_digest=$4
ess_cert_id_alg=$6
accuracy=millisecs:500
clock_precision_digits=3
ordering=yes
tsa_name=yes
C
  printf 'test\n' > m; [ $5 = yes ] && c=-cert || c=
  openssl ts -query -data m -$3 $c -out q.tsq 2>>err.txt
  openssl ts -reply -config ts.cnf -section t -queryfile q.tsq -signer $2.pem -inkey $2.key -out $1.tsr 2>>err.txt || echo "no $1"
}
EKU="extendedKeyUsage=critical,timeStamping\n"
leaf good rsa:2048 "$EKU"
leaf ec "ec -pkeyopt ec_paramgen_curve:secp521r1" "$EKU"
leaf past rsa:2048 "$EKU" 20260101000000Z 20260201000000Z
leaf future rsa:2048 "$EKU" 20980101000000Z 20990201000000Z
leaf unknown rsa:2048 "${EKU}1.2.3.4.5=critical,DER:0500\n"
leaf authority rsa:2048 "${EKU}basicConstraints=critical,CA:TRUE\n"
leaf usage rsa:2048 "${EKU}keyUsage=critical,keyEncipherment\n"
leaf weak rsa:1024 "$EKU"
leaf soft rsa:2048 "extendedKeyUsage=timeStamping\n"
leaf two rsa:2048 "extendedKeyUsage=critical,timeStamping,codeSigning\n"
leaf none rsa:2048 "keyUsage=digitalSignature\n"
for n in good ec past future unknown authority usage weak soft two none; do stamp $n $n sha256 sha256 yes sha256; done
stamp good-sha384 good sha384 sha384 yes sha384
stamp good-sha512 good sha512 sha512 no sha256
stamp good-ess-sha1 good sha256 sha256 yes sha1
stamp good-imprint-sha1 good sha1 sha256 yes sha256
stamp good-digest-sha1 good sha256 sha1 yes sha256
openssl x509 -in ca.pem -outform DER -out ca.der; openssl x509 -in good.pem -outform DER -out good.der

# What `openssl ts` refuses to sign with, `openssl cms` does.
wrap() { # out leaf options
  out=$1; l=$2; shift 2
  openssl ts -reply -in good.tsr -token_out -out good.tok; openssl cms -cmsout -noout -in good.tok -inform DER 2>/dev/null
  openssl cms -verify -noverify -nosigs -in good.tok -inform DER -out tst.der 2>>err.txt
  openssl cms -sign -binary -nodetach -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.4 -in tst.der -signer $l.pem -inkey $l.key -outform DER -out cms.der "$@" 2>>err.txt || echo "no cms $out"
  python3 -c "
b=b'\x30\x03\x02\x01\x00'+open('cms.der','rb').read()
open('$out.tsr','wb').write(b'\x30\x82'+len(b).to_bytes(2,'big')+b)"
}
leaf ed ed25519 "$EKU"
leaf keyid rsa:2048 "${EKU}subjectKeyIdentifier=hash\n"
for n in usage soft two none; do wrap $n $n -cades -md sha256; done
wrap ed ed -cades -md sha512
wrap keyid keyid -cades -md sha256 -keyid
wrap no-ess good -md sha256
wrap no-attributes good -md sha256 -noattr
wrap two-signers good -cades -md sha256 -signer two.pem -inkey two.key
wrap pss good -cades -md sha256 -keyopt rsa_padding_mode:pss
