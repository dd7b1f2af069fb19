/**
 * Whoever is waited for longer than this hangs: on a busy machine a second can take ten, and no test is about
 * figures. Shorter than a test may take, so that it can still say what was not so.
 */
export const longestMs = 540_000
