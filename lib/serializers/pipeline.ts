import { optionError } from '../errors.js';
import { bufferOf, bytesOf, decodeText, encodeText } from '../platform/bytes.js';
import { bsonSerializer, v8Serializer } from './formats.js';
import {
  isOwnFormat,
  isSerializerName,
  openSerializer,
  SERIALIZER_NAMES,
  type SerializerName,
} from './open-serializer.js';
import type { BodyEncoding, Serializer } from './serializer.js';
import { brotliStage, gzipStage, type Stage, utf8Stage } from './stages.js';

/** Bytes that a stage may unpack of metadata. */
const METADATA_LIMIT = 64 * 1024 * 1024;
const ACCEPTED = `a list of a format (${SERIALIZER_NAMES}, or { name, dumps, loads }), utf8Stage if needed, and stages of bytes such as gzipStage`;
const OWN_STAGES: readonly unknown[] = [gzipStage, brotliStage, utf8Stage];

/**
 * A serializer of several stages: first the format, then for example compression (requests-cache:
 * `SerializerPipeline`). `dumps` passes the result of each stage to the next, `loads` does so in reverse order. Stages
 * may be async. Text becomes bytes before a stage of bytes, and text again after it.
 *
 * @example
 * setupCache(axios.create(), { serializer: new SerializerPipeline(['json', gzipStage]) });
 */
export class SerializerPipeline implements Serializer {
  /** The names of the stages, joined by `+`. */
  readonly name: string;
  readonly body: BodyEncoding | undefined;
  readonly stages: readonly Stage[];
  readonly #steps: readonly Stage[];
  /** The steps for which the result says whether they got text, since a stage such as `gunzipSync` does not return it. */
  readonly #marked: readonly number[];

  /** @throws TypeError for an unknown stage, or for an order that cannot work */
  constructor(stages: readonly (SerializerName | Serializer | Stage)[]) {
    if (!Array.isArray(stages) || stages.length === 0) throw optionError('stages', stages, ACCEPTED);
    this.stages = Object.freeze(stages.flatMap(stagesOf));
    checkOrder(this.stages);
    this.name = this.stages.map(({ name }) => name).join('+');
    if (!isSerializerName(this.name))
      throw optionError('stages', this.name, 'names of 1 to 64 letters, digits and "_.-"');
    this.#steps = this.stages.flatMap((stage, index) =>
      stage.bytes && !this.stages[index - 1]?.bytes ? [TEXT_AS_BYTES, stage] : [stage],
    );
    this.#marked = this.#steps.flatMap((step, index) => (index > 0 && isUnknown(step) ? [index] : []));
    this.body = bodyEncoding(this.stages.filter(({ bytes }) => bytes));
  }

  async dumps(value: unknown): Promise<string | Uint8Array> {
    const isText: boolean[] = [];
    const written = await write(this.#steps, value, (input) => isText.push(typeof input === 'string'));
    return withMarks(this.#marked.map((index) => (isText[index] ? '1' : '0')).join(''), written);
  }

  loads(data: string | Uint8Array): Promise<unknown> {
    const count = this.#marked.length;
    const marks = String(typeof data === 'string' ? data.slice(0, count) : bufferOf(data).toString('latin1', 0, count));
    const written = typeof data === 'string' ? data.slice(count) : bufferOf(data).subarray(count);
    const isText = new Set(this.#marked.filter((_, place) => marks[place] === '1'));
    return read(this.#steps, written, { limitOf: () => METADATA_LIMIT, isText: (index) => isText.has(index) });
  }
}

/** Whether a serializer consists of parts of this package, so that only damage can make an entry unreadable. */
export function isOwnSerializer(serializer: Serializer): boolean {
  if (!(serializer instanceof SerializerPipeline)) return isOwnFormat(serializer);
  return serializer.stages.every((stage) => isOwnFormat(stage) || OWN_STAGES.includes(stage));
}

/**
 * Returns the stages of bytes, which alone process bodies. Between two stages a body may be longer than it is stored, for
 * example in hexadecimal digits.
 */
function bodyEncoding(stages: readonly Stage[]): BodyEncoding | undefined {
  if (stages.length === 0) return undefined;
  return {
    dumps: (body) => write(stages, body) as Promise<Uint8Array>,
    loads: (data, length) =>
      read(stages, data, {
        limitOf: (index) => (index === 0 ? length : METADATA_LIMIT + 2 * length),
      }) as Promise<Uint8Array>,
  };
}

async function write(stages: readonly Stage[], value: unknown, onInput?: (input: unknown) => void): Promise<unknown> {
  let written = value;
  for (const stage of stages) {
    onInput?.(written);
    written = asBytes(stage, await stage.dumps(written));
  }
  return written;
}

interface ReadOptions {
  readonly limitOf: (index: number) => number;
  /** Whether a stage got text when the data was written. */
  readonly isText?: (index: number) => boolean;
}

async function read(stages: readonly Stage[], data: unknown, { limitOf, isText }: ReadOptions): Promise<unknown> {
  let loaded = data;
  for (const [index, stage] of [...stages.entries()].reverse()) {
    loaded = asBytes(stage, await stage.loads(loaded, limitOf(index)));
    const bytes = isText?.(index) ? bytesOf(loaded) : undefined;
    if (bytes) loaded = bufferOf(bytes).toString();
  }
  return loaded;
}

/** The result of a stage of bytes as a Uint8Array; WebCrypto, for example, returns an ArrayBuffer. */
function asBytes(stage: Stage, result: unknown): unknown {
  return stage.bytes ? (bytesOf(result) ?? result) : result;
}

/** Whether a stage is the user's own and does not say that it takes bytes: it gets the result of the stage before. */
function isUnknown(stage: Stage): boolean {
  return !stage.bytes && stage !== TEXT_AS_BYTES && stage !== utf8Stage;
}

function withMarks(marks: string, written: unknown): string | Uint8Array {
  if (marks === '') return written as string | Uint8Array;
  if (typeof written === 'string') return marks + written;
  const bytes = bytesOf(written);
  // Other results are refused as they are.
  return bytes ? Buffer.concat([Buffer.from(marks), bytes]) : (written as Uint8Array);
}

/** A mark before the bytes says whether they were text, since a stage may return either. */
const [MARK_BYTES, MARK_TEXT] = [Buffer.of(0), Buffer.of(1)];
const TEXT_AS_BYTES: Stage = {
  name: 'text as bytes',
  dumps(value: unknown) {
    if (typeof value === 'string') return Buffer.concat([MARK_TEXT, encodeText(value)]);
    const bytes = bytesOf(value);
    if (bytes) return Buffer.concat([MARK_BYTES, bytes]);
    throw new TypeError(`a stage returned a value of type ${typeof value} before a stage of bytes`);
  },
  loads(value: Uint8Array) {
    const data = value.subarray(1);
    return value[0] === MARK_TEXT[0] ? decodeText(data) : bufferOf(data);
  },
};

/** The stages of one member of the list; a pipeline is replaced by its own. */
function stagesOf(part: unknown): readonly Stage[] {
  if (part instanceof SerializerPipeline) return part.stages;
  if (typeof part === 'string') return [openSerializer(part, 'stages')];
  const { name, dumps, loads } = (part ?? {}) as Partial<Stage>;
  if (typeof name === 'string' && name !== '' && typeof dumps === 'function' && typeof loads === 'function')
    return [part as Stage];
  throw optionError('stages', part, ACCEPTED);
}

/** Refuses impossible orders: a stage before the format, a second format, text after bytes. */
function checkOrder(stages: readonly Stage[]): void {
  for (const [index, stage] of stages.entries()) {
    const before = stages[index - 1];
    const wrong = isOwnFormat(stage)
      ? before !== undefined
      : stage === utf8Stage
        ? before === undefined || returnsBytes(before)
        : stage.bytes && before === undefined;
    if (!wrong) continue;
    const place = before ? `after "${before.name}"` : 'first';
    throw new TypeError(`stages: "${stage.name}" is not accepted ${place}; expected ${ACCEPTED}`);
  }
}

function returnsBytes(stage: Stage): boolean {
  const known: readonly unknown[] = [utf8Stage, v8Serializer, bsonSerializer];
  return stage.bytes === true || known.includes(stage);
}
