/** The value of a field: one line, or the lines of a field that was sent several times. */
export type FieldValue = string | readonly string[];

/** Header fields by lower-case name. Made by {@link fields}, so that no name (`__proto__`) can reach a prototype. */
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

/** A response in the store, with what the rules need to know of its past. Instants are milliseconds since the epoch. */
export interface StoredMessage extends ResponseMessage {
  /** When the response, or what last validated it, was received. */
  readonly receivedAt: number;
  /** When it stops being fresh; `Infinity` for never. */
  readonly staleAt: number;
  /** RFC 9111 section 4.2.3, corrected_initial_age, in seconds. */
  readonly initialAge: number;
  /** What is stored of the content: how much of it decides on ranges. */
  readonly body: { readonly byteLength: number };
}

/**
 * Makes objects for fields: with nothing to inherit but an empty object without a prototype, `__proto__` is a name like
 * any other, and engines keep them as fast as classes, which objects made without a prototype are not.
 */
class FieldRecord {
  [name: string]: FieldValue;
}
Reflect.deleteProperty(FieldRecord.prototype, 'constructor');
Object.setPrototypeOf(FieldRecord.prototype, null);

/** An empty record of fields, to be filled; with those of `source` in it where there is one. */
export function newFields(source?: Fields): Record<string, FieldValue> {
  return source ? Object.assign(new FieldRecord(), source) : new FieldRecord();
}

/** Header fields from any record; names in lower case, `undefined`, `null` and `false` left out as axios does. */
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

/** The field's combined value (RFC 9110 section 5.3), `undefined` where it is absent. */
export function field(headers: Fields, name: string): string | undefined {
  const value = headers[name];
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}
