// Responses that are recorded once, and replayed in tests without a network.
import axios from 'axios';
import { setupCache } from 'axios-keyv-cache';

const options = { backend: 'filesystem', cacheName: 'fixtures/http' } as const;
const client = (isRecording: boolean) =>
  setupCache(
    axios.create({ baseURL: 'https://example.org' }),
    isRecording ? options : { ...options, readOnly: true, onlyIfCached: true },
  );

const recording = client(true);
await recording.get('/users/1');
await recording.detachCache();

const replaying = client(false);
console.log((await replaying.get('/users/1')).fromCache); // true
const missing = await replaying.get('/users/2', { validateStatus: () => true });
console.log(missing.status); // 504: not recorded
await replaying.detachCache();
