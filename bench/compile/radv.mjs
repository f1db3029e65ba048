// Reads what RADV_DEBUG=shaderstats prints about a pipeline.

/** Their names there, and in the report. */
const STATS = /** @type {const} */ ({
  vgprs: 'VGPRs',
  spilledVgprs: 'Spilled VGPRs',
  spilledSgprs: 'Spilled SGPRs',
  lds: 'LDS size',
  scratch: 'Scratch size',
  subgroupsPerSimd: 'Subgroups per SIMD',
  instructions: 'Instructions',
  valu: 'VALU',
  vopd: 'VOPD',
  salu: 'SALU',
  vmem: 'VMEM',
  smem: 'SMEM',
  latency: 'Latency',
  inverseThroughput: 'Inverse Throughput',
});

/**
 * @param {string} text the compiler's output for one pipeline
 * @returns {Record<string, number> | string} the numbers, or what is missing
 */
export const parseRadv = (text) => {
  /** @type {Record<string, number>} */
  const numbers = {};
  for (const [key, name] of Object.entries(STATS)) {
    const match = new RegExp(`^${name}: (\\d+)`, 'm').exec(text);
    if (!match) return `RADV printed no '${name}'`;
    numbers[key] = Number(match[1]);
  }
  return numbers;
};

/** @param {Record<string, number>} row @returns {string[]} what must not be */
export const radvFaults = ({ spilledVgprs, spilledSgprs, scratch }) => [
  ...(spilledVgprs > 0 ? [`${spilledVgprs} spilled VGPRs`] : []),
  ...(spilledSgprs > 0 ? [`${spilledSgprs} spilled SGPRs`] : []),
  ...(scratch > 0 ? [`${scratch} bytes of scratch`] : []),
];
