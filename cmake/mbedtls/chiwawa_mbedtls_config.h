// Mbed TLS, reduced to SHA-256 in portable C.
#pragma once

#define MBEDTLS_SHA256_C
