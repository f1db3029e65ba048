// Prints as one line of JSON what Dawn gives with the drivers in this process's environment. Run by adapters.mjs.
import { create } from 'webgpu';

/** @type {import('./adapters.mjs').Probe} */
let probe = { error: 'Dawn found no adapter that it accepts' };
const adapter = await create([]).requestAdapter();
if (adapter) {
  const { vendor, architecture, device, description } = adapter.info;
  (await adapter.requestDevice()).destroy();
  probe = { info: { vendor, architecture, device, description }, features: [...adapter.features] };
}
// Dawn's threads would keep the process alive.
process.stdout.write(`${JSON.stringify(probe)}\n`, () => process.exit(0));
