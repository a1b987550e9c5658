// Caches the requests of every library that uses axios, whatever its instance.
import axios from 'axios';
import { disabled, getCache, installCache, uninstallCache } from 'axios-keyv-cache';

installCache({ backend: 'memory', expireAfter: '1h' });

await axios.get('https://example.org/slow');
const { fromCache } = await axios.create().get('https://example.org/slow');
const past = await disabled(() => axios.get('https://example.org/slow'));
console.log(fromCache, past.fromCache, await getCache()?.responseCount());

await uninstallCache();
