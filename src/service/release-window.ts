/**
 * How long a signature may be released after its state was read (DESIGN §3, R2): a revocation that
 * returns after this long knows that nothing can leave any more.
 */
export const releaseWindowMs = 2_000
