// A format of your own for metadata; bodies stay bytes. A stage of bytes processes both.
import axios from 'axios';
import { type Serializer, SerializerPipeline, type Stage, setupCache } from 'axios-keyv-cache';

const pretty: Serializer = {
  name: 'pretty-json',
  dumps: (value) => JSON.stringify(value, null, 2),
  loads: (text: string) => JSON.parse(text) as unknown,
};
const inverted: Stage = {
  name: 'inverted',
  bytes: true,
  dumps: (data: Uint8Array) => data.map((byte) => 255 - byte),
  loads: (data: Uint8Array) => data.map((byte) => 255 - byte),
};

const api = setupCache(axios.create({ baseURL: 'https://example.org' }), {
  backend: 'memory',
  serializer: new SerializerPipeline([pretty, inverted]),
});
await api.get('/users/1');
console.log((await api.get('/users/1')).fromCache); // true
await api.detachCache();
