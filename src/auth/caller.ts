/** Who is asking, after proof. */
export type Caller = {
  readonly name: string
  /** What the proof says of the caller; `fromCaller` rules compare with these. */
  readonly attributes: Readonly<Record<string, string>>
}

/** One way to prove who one is. Answers undefined for a credential that is not good, without saying why. */
export interface Authenticator {
  authenticate(bearer: string): Promise<Caller | undefined>
}
