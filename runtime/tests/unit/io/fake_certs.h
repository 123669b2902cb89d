/* SPDX-License-Identifier: Apache-2.0 */
/* fake_certs.h - certificates for tests, made on the spot in a temporary folder. */
#ifndef TESTS_FAKE_CERTS_H
#define TESTS_FAKE_CERTS_H

struct fake_certs {
    char dir[64];
    char ca[96];                                /* signed both of the following */
    char other_ca[96];                          /* signed none */
    char cert[96], key[96];                     /* for localhost and 127.0.0.1 */
    char elsewhere_cert[96], elsewhere_key[96]; /* for elsewhere.example */
};

void fake_certs_init(struct fake_certs *c);
void fake_certs_fini(struct fake_certs *c);

#endif
