import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, gunzip, gzip } from 'node:zlib';
import { optionError } from '../errors.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import type { Serializer } from './serializer.js';

/** One step of a {@link SerializerPipeline} (requests-cache: `Stage`). */
export interface Stage {
  /** Part of the pipeline's name, which stands in the store. */
  readonly name: string;
  /** Whether it turns bytes into bytes: it then runs on bodies too. */
  readonly bytes?: boolean;
  dumps(value: never): MaybePromise<unknown>;
  loads(value: never): MaybePromise<unknown>;
}

/** A stage whose types are not known any more. */
interface AnyStage {
  readonly name: string;
  readonly bytes?: boolean;
  dumps(value: unknown): MaybePromise<unknown>;
  loads(value: unknown): MaybePromise<unknown>;
}

/**
 * Stages one after the other, the format first: each gets what the one before it made, and reading goes the other way
 * (requests-cache: `SerializerPipeline`). Steps may be async.
 */
export class SerializerPipeline implements Serializer {
  readonly name: string;
  readonly body: Serializer['body'];
  readonly #stages: readonly AnyStage[];

  /** @throws TypeError for anything but a list of stages */
  constructor(stages: readonly Stage[]) {
    if (!Array.isArray(stages) || stages.length === 0 || !stages.every(isStage)) {
      throw optionError('stages', stages, 'a list of { name, dumps, loads }');
    }
    this.#stages = stages as readonly AnyStage[];
    this.name = stages.map(({ name }: Stage) => name).join('+');
    const onBytes = this.#stages.filter(({ bytes }) => bytes);
    this.body =
      onBytes.length === 0
        ? undefined
        : { dumps: (body) => write(onBytes, body), loads: (body) => read(onBytes, body) };
  }

  async dumps(value: unknown): Promise<string | Uint8Array> {
    return (await write(this.#stages, value)) as string | Uint8Array;
  }

  loads(data: Uint8Array): Promise<unknown> {
    return read(this.#stages, data);
  }
}

async function write<T>(stages: readonly AnyStage[], value: T): Promise<T> {
  let written: unknown = value;
  for (const stage of stages) written = await stage.dumps(written);
  return written as T;
}

async function read<T>(stages: readonly AnyStage[], data: T): Promise<T> {
  let loaded: unknown = data;
  for (const stage of stages.toReversed()) loaded = await stage.loads(loaded);
  return loaded as T;
}

function isStage(stage: unknown): stage is Stage {
  const { name, dumps, loads } = (stage ?? {}) as Partial<Stage>;
  return typeof name === 'string' && name !== '' && typeof dumps === 'function' && typeof loads === 'function';
}

/** Compresses with gzip, bodies too. */
export const gzipStage: Stage = { name: 'gzip', bytes: true, dumps: promisify(gzip), loads: promisify(gunzip) };

/** Compresses with brotli, bodies too. */
export const brotliStage: Stage = {
  name: 'brotli',
  bytes: true,
  dumps: promisify<Uint8Array, Buffer>(brotliCompress),
  loads: promisify<Uint8Array, Buffer>(brotliDecompress),
};

/** Between a format that makes text and stages of bytes (requests-cache: `utf8_encoder`). */
export const utf8Stage: Stage = {
  name: 'utf8',
  dumps: (text: string) => Buffer.from(text, 'utf8'),
  loads: (data: Uint8Array) => Buffer.from(data).toString('utf8'),
};
