import type axios from 'axios';
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

/**
 * The classes and the dispatch of one copy of axios in the process. The ESM and the CommonJS build are two copies, and
 * SDKs may have further ones. Programs compare errors by `instanceof` with the classes of their own copy.
 */
export interface AxiosCopy {
  readonly AxiosError: typeof axios.AxiosError;
  readonly CanceledError: typeof axios.CanceledError;
  readonly AxiosHeaders: typeof axios.AxiosHeaders;
  /** Calls the adapter that `config.adapter` names, as axios's own dispatch does. */
  dispatch(config: InternalAxiosRequestConfig): Promise<AxiosResponse>;
}
