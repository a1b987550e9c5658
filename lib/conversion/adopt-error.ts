import axios, { AxiosError, type AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { headersClassOf } from './headers.js';

/** Number of nested causes that are copied. */
const MAX_CAUSES = 5;

/**
 * Returns an error of another caller's request as one of this caller: with the same class, message, code and stack, this
 * caller's config, and without request, config and other objects of the other caller.
 */
export function adoptError(error: unknown, config: InternalAxiosRequestConfig): unknown {
  if (!isError(error)) return typeof error === 'object' && error !== null ? primitivesOf(error) : error;
  const own = copyOf(error, MAX_CAUSES);
  const adopted = own as AxiosError;
  if ('config' in error) adopted.config = config;
  if (!axios.isAxiosError(error)) return adopted;
  if (error.response) adopted.response = responseOf(error.response, config);
  return adopted;
}

/** Returns status and headers without Set-Cookie, which belongs to the other caller. */
function responseOf({ status, statusText, headers }: AxiosResponse, config: InternalAxiosRequestConfig): AxiosResponse {
  const own = new (headersClassOf(config.headers))(headers as AxiosHeaders);
  own.delete('Set-Cookie');
  return { data: undefined, status, statusText, headers: own, config };
}

function copyOf(error: Error, depth: number): Error {
  const own: Error = Object.create(Object.getPrototypeOf(error), {
    message: { value: error.message, writable: true, configurable: true, enumerable: error instanceof AxiosError },
    stack: { value: error.stack, writable: true, configurable: true },
  });
  Object.assign(own, primitivesOf(error));
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  if (depth > 0 && isError(cause)) define(own, 'cause', copyOf(cause, depth - 1));
  if (depth > 0 && Array.isArray(errors))
    define(
      own,
      'errors',
      errors.filter(isError).map((one) => copyOf(one, 0)),
    );
  return own;
}

/** Defines a property that is not enumerable, as `new Error(message, { cause })` does. */
function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true });
}

/** Returns the own properties that are no objects, such as `code`, `errno` and `port`. */
function primitivesOf(value: object): Record<string, unknown> {
  const members = Object.entries(value).filter(([name, member]) => {
    const isObject = (typeof member === 'object' && member !== null) || typeof member === 'function';
    return name !== 'message' && name !== 'stack' && !isObject;
  });
  return Object.fromEntries(members);
}

/** Compares the tag, since errors of another realm are instances of another class. */
function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}
