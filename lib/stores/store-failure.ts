/**
 * How a store fails: `entry`, one entry cannot be read or written; `refusal`, the store refuses writes (full, read-only,
 * out of memory) but can be read; `outage`, it cannot be reached or does not answer.
 */
export type FailureKind = 'entry' | 'refusal' | 'outage';

/** The purpose of a command that failed: an error that refuses a write makes reads impossible. */
export type Access = 'read' | 'write';

/** A store's failure with its kind, which decides whether the circuit breaker opens; `cause` is the client's error. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, cause: unknown) {
    super(String((cause as Error | null | undefined)?.message ?? cause), { cause });
    this.kind = kind;
  }
}

/** Returns the kind of a failure; an error that a store did not classify is an outage. */
export function failureKind(error: unknown): FailureKind {
  return error instanceof StoreFailure ? error.kind : 'outage';
}
