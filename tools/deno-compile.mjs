// Compiles WGSL sources through wgpu and Naga, in Deno: deno run --allow-read tools/deno-compile.mjs SOURCES.json
//
// SOURCES.json is a list of { name, code }; each has one entry point. Standard output has a JSON object per line: first { adapter, features }
// of the device, which has all features and limits that the library asks for, then { name } or { name, error } per source, in order.
import { readFileSync } from 'node:fs';

const FEATURES = /** @type {const} */ (['shader-f16', 'subgroups', 'timestamp-query']);
const LIMITS = /** @type {const} */ ([
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
]);

/** @param {object} line */
const write = (line) => console.log(JSON.stringify(line));

/** @type {{ name: string, code: string }[]} */
const sources = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const adapter = await navigator.gpu.requestAdapter();
if (!adapter) throw new Error('Deno found no Vulkan driver. VK_ICD_FILENAMES can name one.');
const requiredFeatures = FEATURES.filter((name) => adapter.features.has(name));
const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
write({ adapter: adapter.info.description, features: requiredFeatures });

for (const { name, code } of sources) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label: name, code });
  const failed = await device.createComputePipelineAsync({ label: name, layout: 'auto', compute: { module } }).then(
    () => undefined,
    (/** @type {Error} */ error) => error.message,
  );
  const rejected = await device.popErrorScope();
  const error = rejected?.message ?? failed;
  write({ name, ...(error && { error: error.trim() }) });
}
