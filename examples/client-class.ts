// A client of your own, with a cache.
import { Axios } from 'axios';
import { CacheMixin } from 'axios-keyv-cache';

class Reports extends CacheMixin(Axios) {
  async latest(): Promise<{ fromCache: boolean | undefined; expires: Date | null | undefined }> {
    const { fromCache, expires } = await this.get('/reports/latest', { expireAfter: '10m' });
    return { fromCache, expires };
  }
}

const reports = new Reports({ baseURL: 'https://example.org' }, { backend: 'memory', oldDataOnError: true });
console.log(await reports.latest(), await reports.latest());
await reports.detachCache();
