import type { Case } from './cases.ts'
import { webSignatures } from './jose.ts'
import { macs, pkcs1Signatures } from './known-answers.ts'
import { derSignatures, joseSignatures } from './signatures.ts'
import type { Subject } from './subject.ts'

/** What each file runs through. A file that is not here fails the run, as does one that is missing. */
export const files: Readonly<Record<string, (subject: Subject, text: string) => readonly Case[]>> =
  {
    'ecdsa_secp256r1_sha256_p1363_test.json': joseSignatures('ES256'),
    'ecdsa_secp256r1_sha256_test.json': derSignatures('ES256'),
    'ecdsa_secp384r1_sha384_p1363_test.json': joseSignatures('ES384'),
    'ecdsa_secp384r1_sha384_test.json': derSignatures('ES384'),
    'ecdsa_secp521r1_sha512_test.json': derSignatures('ES512'),
    'ed25519_test.json': joseSignatures('EdDSA'),
    'hmac_sha256_test.json': macs('HS256'),
    'hmac_sha512_test.json': macs('HS512'),
    'json_web_key_test.json': webSignatures,
    'json_web_signature_test.json': webSignatures,
    'rsa_pkcs1_2048_sig_gen_test.json': pkcs1Signatures,
    'rsa_pkcs1_4096_sig_gen_test.json': pkcs1Signatures,
    'rsa_pss_2048_sha256_mgf1_32_test.json': joseSignatures('PS256'),
    'rsa_pss_3072_sha256_mgf1_32_test.json': joseSignatures('PS256'),
    'rsa_pss_4096_sha512_mgf1_64_test.json': joseSignatures('PS512'),
    'rsa_signature_2048_sha256_test.json': joseSignatures('RS256'),
    'rsa_signature_3072_sha384_test.json': joseSignatures('RS384'),
    'rsa_signature_4096_sha256_test.json': joseSignatures('RS256'),
    'rsa_signature_4096_sha512_test.json': joseSignatures('RS512'),
  }
