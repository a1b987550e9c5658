/** Replaces a value that must not be readable. */
export const REDACTED = 'REDACTED';

/** Decides about a parameter by its name; `judge` redacts only a value that resembles a secret. */
export type ParameterRule = (name: string) => 'keep' | 'omit' | 'redact' | 'judge';
