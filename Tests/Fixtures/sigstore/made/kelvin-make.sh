set -e
# A certificate whose name and issuer begin with the sign of the kelvin (U+212A), which to Unicode is the letter K; its key is thrown away.
k=$(printf '\342\204\252')
cat > kelvin.cnf <<C
[req]
distinguished_name=none
x509_extensions=ext
[none]
[ext]
subjectAltName=critical,@names
extendedKeyUsage=codeSigning
keyUsage=critical,digitalSignature
1.3.6.1.4.1.57264.1.8=ASN1:FORMAT:UTF8,UTF8:https://${k}elvin.example
[names]
otherName=1.3.6.1.4.1.57264.1.7;FORMAT:UTF8,UTF8:${k}elvin@example.org
C
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout kelvin.key -subj / -days 36500 -config kelvin.cnf -outform PEM -out kelvin.pem
rm kelvin.cnf kelvin.key
