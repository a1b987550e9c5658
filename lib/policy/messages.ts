/** The value of a field: one line, or the lines of a field that was sent several times. */
export type FieldValue = string | readonly string[];

/** Header fields by lower-case name. Created by {@link fields}, so that no name (`__proto__`) can reach a prototype. */
export type Fields = Readonly<Record<string, FieldValue>>;

/** A request as the rules of HTTP see it (RFC 9110 section 6). */
export interface RequestMessage {
  /** Upper case. */
  readonly method: string;
  /** Absolute, without a fragment. */
  readonly url: string;
  readonly headers: Fields;
}

/** A response as the rules of HTTP see it. */
export interface ResponseMessage {
  readonly status: number;
  readonly headers: Fields;
}

/** A stored response, with the history that the rules need. Instants are milliseconds since the epoch. */
export interface StoredMessage extends ResponseMessage {
  /** The final URL; parts of it may be redacted, but neither scheme nor host. */
  readonly url: string;
  /** When the response, or the 304 that last validated it, was received. */
  readonly receivedAt: number;
  /** When the response stops being fresh; `Infinity` for never. */
  readonly staleAt: number;
  /** Only a successful validation makes it usable again (RFC 9111 section 4.4). Never stored. */
  readonly isInvalidated?: boolean;
  /** RFC 9111 section 4.2.3, corrected_initial_age, in seconds. */
  readonly initialAge: number;
  /** The stored content; its length decides which ranges can be served. */
  readonly body: { readonly byteLength: number };
}

/**
 * Creates records of fields. Their prototype is an empty object without a prototype: `__proto__` is a name like any
 * other, and engines keep such objects as fast as instances of a class, which `Object.create(null)` objects are not.
 */
class FieldRecord {
  [name: string]: FieldValue;
}
Reflect.deleteProperty(FieldRecord.prototype, 'constructor');
Object.setPrototypeOf(FieldRecord.prototype, null);

/** Returns a new record of fields that can be changed: a copy of `source`, or empty without one. */
export function newFields(source?: Fields): Record<string, FieldValue> {
  return source ? Object.assign(new FieldRecord(), source) : new FieldRecord();
}

/** Returns header fields from any record, with lower-case names; `undefined`, `null` and `false` are left out as in axios. */
export function fields(source: Readonly<Record<string, unknown>>): Fields {
  const result = newFields();
  for (const name of Object.keys(source)) {
    const value = source[name];
    if (value === undefined || value === null || value === false) continue;
    result[name.toLowerCase()] =
      typeof value === 'string' ? value : Array.isArray(value) ? value.map(String) : String(value);
  }
  return result;
}

/** Returns the combined value of a field (RFC 9110 section 5.3); `undefined` if it is absent. */
export function field(headers: Fields, name: string): string | undefined {
  const value = headers[name];
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}
