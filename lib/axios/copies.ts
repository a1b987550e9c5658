import * as path from 'node:path';
import axios, {
  type AxiosAdapter,
  type AxiosError,
  type AxiosInstance,
  type AxiosResponse,
  type AxiosStatic,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { AxiosCopy } from '../conversion/copy.js';
import { packageRequire } from '../platform/load-client.js';
import type { MaybePromise } from '../platform/maybe-promise.js';
import { shared } from '../platform/shared-state.js';

type InstanceLike = Pick<AxiosInstance, 'interceptors'>;
/** The default export of a copy. */
export type AxiosExport = Pick<
  AxiosStatic,
  'Axios' | 'AxiosError' | 'CanceledError' | 'AxiosHeaders' | 'getAdapter' | 'defaults'
>;

/** Copies by their class of interceptors, the only object that every kind of instance shares with its copy. */
const copies = /* @__PURE__ */ shared('axiosCopies', () => new Map<unknown, MaybePromise<AxiosCopy>>());
/** Classes of headers whose copy was searched for. */
const searched = /* @__PURE__ */ shared('searchedHeaders', () => new WeakSet<object>());
/** Interceptors of the instances that only dispatch: nothing covers them. */
const bareInstances = /* @__PURE__ */ shared('bareInstances', () => new WeakSet<object>());

/** The copy that this build imports. */
export const ownCopy: AxiosCopy = /* @__PURE__ */ copyOfExport(axios);

/** Returns the copy that an instance belongs to; a promise if it is an unknown one. Never rejects. */
export function copyOf(instance: InstanceLike): MaybePromise<AxiosCopy> {
  const manager = instance.interceptors.request.constructor;
  const known = copies.get(manager);
  if (known) return known;
  if (isExport(instance)) return registerCopy(instance);
  if (manager === managerOf(axios)) return registerCopy(axios);
  const found = probe(instance).then((copy) => {
    copies.set(manager, copy);
    return copy;
  });
  copies.set(manager, found);
  return found;
}

/** Returns the copy that made a request's headers, if it is known or was loaded by `require`; else this build's own. */
export function copyOfHeaders(headers: object): AxiosCopy {
  const made = headers.constructor;
  const known = knownCopyOf(made);
  if (known || searched.has(made)) return known ?? ownCopy;
  searched.add(made);
  for (const copy of [...copiesOfApplication(), ...required()]) registerCopy(copy);
  return knownCopyOf(made) ?? ownCopy;
}

function knownCopyOf(headersClass: unknown): AxiosCopy | undefined {
  for (const copy of copies.values()) {
    if ('AxiosHeaders' in copy && copy.AxiosHeaders === headersClass) return copy;
  }
  return undefined;
}

/** Returns the copies that the process has loaded by `require`, such as that of an SDK. */
function required(): readonly AxiosExport[] {
  const modules = Object.entries(packageRequire().cache ?? {});
  return modules.flatMap(([file, module]) =>
    file.includes('axios') && isExport(module?.exports) ? [module.exports] : [],
  );
}

/** Returns whether an instance only calls adapters for the cache. */
export function isBare({ interceptors }: InstanceLike): boolean {
  return bareInstances.has(interceptors);
}

/** Returns whether a value is the default export of a copy of axios that can be patched. */
export function isExport(value: unknown): value is AxiosExport {
  const { Axios, AxiosError, CanceledError, AxiosHeaders, getAdapter } = (value ?? {}) as Partial<AxiosExport>;
  const parts = [Axios, AxiosError, CanceledError, AxiosHeaders, getAdapter];
  return parts.every((part) => typeof part === 'function') && Object.hasOwn(Axios?.prototype ?? {}, '_request');
}

/**
 * Registers a copy, so that its instances need no probe.
 *
 * @returns the part of the copy that the cache uses
 */
export function registerCopy(copy: AxiosExport): AxiosCopy {
  const manager = managerOf(copy);
  const known = copies.get(manager);
  if (known && 'dispatch' in known) return known;
  const made = copyOfExport(copy);
  copies.set(manager, made);
  return made;
}

/** Returns the copies of axios that the application can load, this build's copy included. */
export function copiesOfApplication(): readonly AxiosExport[] {
  const builds: (() => unknown)[] = [
    () => packageRequire()('axios'),
    // The ESM build, which `require` loads in Node but not in every runtime.
    () => packageRequire()(path.join(path.dirname(packageRequire().resolve('axios/package.json')), 'index.js')),
  ];
  const found = builds.map(attempt).map((loaded) => (loaded as { default?: unknown } | undefined)?.default ?? loaded);
  return [...new Set([axios, ...found.filter(isExport)])];
}

function copyOfExport(copy: AxiosExport): AxiosCopy {
  const { AxiosError, CanceledError, AxiosHeaders } = copy;
  // Since 1.12 the configuration is the second argument, which the fetch adapter's `env` needs.
  const getAdapter = copy.getAdapter as (adapters: unknown, config: InternalAxiosRequestConfig) => AxiosAdapter;
  const dispatch = async (config: InternalAxiosRequestConfig) =>
    getAdapter(config.adapter ?? copy.defaults.adapter, config)(config);
  return { AxiosError, CanceledError, AxiosHeaders, dispatch };
}

function managerOf(copy: AxiosExport): unknown {
  return new copy.Axios({}).interceptors.request.constructor;
}

/**
 * Returns the copy of an instance by its errors: a request with an unknown adapter fails with its AxiosError, a
 * canceled request with its CanceledError.
 */
async function probe(instance: InstanceLike): Promise<AxiosCopy> {
  try {
    const bare = bareInstance(instance);
    let headers: object | undefined;
    const adapter: AxiosAdapter = async (config) => {
      headers = config.headers;
      return { data: '', status: 200, statusText: 'OK', headers: {}, config };
    };
    const request = { url: 'http://localhost/' };
    const failed = await bare.request({ ...request, adapter: 'none' }).catch((error: unknown) => error);
    const canceled = await bare
      .request({ ...request, adapter, signal: AbortSignal.abort() })
      .catch((error: unknown) => error);
    await bare.request({ ...request, adapter });
    const AxiosError = (failed as AxiosError).constructor as AxiosCopy['AxiosError'];
    const CanceledError = (canceled as AxiosError).constructor as AxiosCopy['CanceledError'];
    const AxiosHeaders = headers?.constructor as AxiosCopy['AxiosHeaders'];
    if (!(failed as AxiosError).isAxiosError || !axios.isCancel(canceled)) return ownCopy;
    return { AxiosError, CanceledError, AxiosHeaders, dispatch: (config) => dispatchBy(bare, config) };
  } catch {
    return ownCopy;
  }
}

/** Returns an instance of the same copy without defaults and interceptors. */
function bareInstance(instance: InstanceLike & { create?: AxiosInstance['create'] }): AxiosInstance {
  const bare = instance.create ? instance.create({}) : new (classOf(instance))({});
  for (const name of Object.keys(bare.defaults)) delete (bare.defaults as unknown as Record<string, unknown>)[name];
  bare.interceptors.request.clear();
  bare.interceptors.response.clear();
  bareInstances.add(bare.interceptors);
  return bare as AxiosInstance;
}

/** Returns the class `Axios` of an instance's copy. */
function classOf(instance: object): AxiosStatic['Axios'] {
  let prototype: object = Object.getPrototypeOf(instance);
  while (!Object.hasOwn(prototype, '_request')) prototype = Object.getPrototypeOf(prototype);
  return prototype.constructor as AxiosStatic['Axios'];
}

/** Calls an adapter through an instance, without transforms: the caller's instance applies those. */
async function dispatchBy(bare: AxiosInstance, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  if (typeof config.adapter === 'function') return config.adapter(config);
  const restore = (response: AxiosResponse | undefined) => {
    if (response) response.config = config;
  };
  try {
    const response = await bare.request<unknown, AxiosResponse>({
      ...config,
      transformRequest: [],
      transformResponse: [],
    });
    restore(response);
    return response;
  } catch (error) {
    restore((error as { response?: AxiosResponse } | null)?.response);
    if (typeof error === 'object' && error !== null && 'config' in error) (error as AxiosError).config = config;
    throw error;
  }
}

/** Returns undefined if there is no such copy. */
function attempt(load: () => unknown): unknown {
  try {
    return load();
  } catch {
    return undefined;
  }
}
