/** The front door of `@chancery/client`. */
export type {
  FingerprintFormat,
  Signed,
  SignedBytes,
  SignedInput,
  SignedJwt,
  VersionFingerprints,
} from './answers.ts'
export {
  type BytesBody,
  type CallOptions,
  type ChanceryClient,
  type ChanceryClientOptions,
  type Claims,
  type ClaimsBody,
  createChanceryClient,
  type Encoding,
  type InputBody,
} from './client.ts'
export { type ClientAssertion, clientAssertion } from './client-assertion.ts'
export { type ContentfulInstallation, contentfulAppToken } from './contentful.ts'
export { ChanceryError, type ChanceryErrorCode, type ProblemMembers } from './error.ts'
export { githubCreateJwt } from './github.ts'
export { type IcrApp, icrAccessToken } from './icr.ts'
export { tokenSigner } from './token-signer.ts'
