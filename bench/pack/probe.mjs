// What WebGPU offers on this machine: node probe.mjs OUT.json. DAWN_TOGGLES: Dawn toggles to enable.
import { writeFileSync } from 'node:fs';
import { create } from './webgpu.mjs';

const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
if (!adapter) {
  console.error('WebGPU found no adapter. Is a Vulkan driver registered? See README.md.');
  process.exit(1);
}
const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
/** @type {Record<string, unknown>} */
const limits = {};
// The limits are getters of the prototype, which Object.entries does not see.
for (const name in adapter.limits) limits[name] = Reflect.get(adapter.limits, name);
const found = {
  date: new Date().toISOString(),
  toggles: (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean),
  adapter: { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize },
  matrices: Reflect.get(adapter.info, 'subgroupMatrixConfigs') ?? [],
  features: [...adapter.features].sort(),
  limits,
};
writeFileSync(process.argv[2], `${JSON.stringify(found, null, 1)}\n`);
console.log(`${device} (${description}), subgroups of ${subgroupMinSize} to ${subgroupMaxSize}`);
console.log(found.features.join(' '));
process.exit(0);
