#include <nettle/bignum.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <stdint.h>

/// Bytes of a coordinate or a scalar of P-384.
enum { p384_bytes = 48 };

/// Whether a signature is a key's over what has a digest: 1 or 0. Numbers are big-endian.
///
/// point: x and y of the key; one that is not on the curve has signed nothing.
/// signature: r and s.
/// digest: of any length; as many of its bits count as the curve has.
static inline int p384_is_signature(const uint8_t point[2 * p384_bytes], const uint8_t signature[2 * p384_bytes],
                                    const uint8_t *digest, size_t digest_bytes) {
    mpz_t x, y;
    nettle_mpz_init_set_str_256_u(x, p384_bytes, point);
    nettle_mpz_init_set_str_256_u(y, p384_bytes, point + p384_bytes);
    struct ecc_point key;
    ecc_point_init(&key, nettle_get_secp_384r1());
    struct dsa_signature numbers;
    dsa_signature_init(&numbers);
    nettle_mpz_set_str_256_u(numbers.r, p384_bytes, signature);
    nettle_mpz_set_str_256_u(numbers.s, p384_bytes, signature + p384_bytes);

    int is_signature = ecc_point_set(&key, x, y) && ecdsa_verify(&key, digest_bytes, digest, &numbers);

    dsa_signature_clear(&numbers);
    ecc_point_clear(&key);
    mpz_clear(y);
    mpz_clear(x);
    return is_signature;
}
