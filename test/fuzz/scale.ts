/** `CHANCERY_FUZZ=short` for whoever waits; what CI promises otherwise. */
const isShort = process.env['CHANCERY_FUZZ'] === 'short'

export const scale = isShort ? { requests: 20_000 } : { requests: 200_000 }
