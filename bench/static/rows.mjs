// Turns a compiler's output into the rows of the report.

/**
 * @typedef {import('./job').Made} Made
 * @typedef {{ model: string, tier: string }} Use
 * @typedef {{ shader: string, kernel: string, uses: Use[], numbers: Record<string, number> }} Row
 * @typedef {{ adapter: Record<string, unknown>, rows: Row[], problems: string[], outputs: Map<Row, string> }} Compiled
 */

/** `@@kind {json}`, as pipelines.ts writes it. */
const MARKER = /^@@(adapter|pipeline|same|end|done) (.*)$/gm;

/** @param {{ shader: string, kernel: string, uses: Use[] }} row */
export const titleOf = ({ shader, kernel, uses }) => `${shader} '${kernel}' (${usesText(uses)})`;

/** "nano base: f32; base: f16-storage". @param {Use[]} uses */
export const usesText = (uses) => {
  /** @type {Map<string, string[]>} */
  const byTiers = new Map();
  for (const model of new Set(uses.map((use) => use.model))) {
    const tiers = uses
      .filter((use) => use.model === model)
      .map((use) => use.tier)
      .join(', ');
    byTiers.set(tiers, [...(byTiers.get(tiers) ?? []), model]);
  }
  return [...byTiers].map(([tiers, models]) => `${models.join(', ')}: ${tiers}`).join('; ');
};

/**
 * @param {string} text
 * @param {import('./targets.mjs').Target} target
 * @returns {Compiled}
 */
export const rowsOf = (text, target) => {
  /** @type {Compiled} */
  const result = { adapter: {}, rows: [], problems: [], outputs: new Map() };
  /** @type {Map<string, Row>} */
  const bySource = new Map();
  const markers = [...text.matchAll(MARKER)];
  markers.forEach((marker, i) => {
    const [, kind, json] = marker;
    const value = JSON.parse(json);
    if (kind === 'adapter') result.adapter = value;
    if (kind !== 'pipeline' && kind !== 'same') return;
    const { shader, kernel, model, tier, source } = /** @type {Made} */ (value);
    if (kind === 'same') {
      const twin = bySource.get(source);
      if (twin && !twin.uses.some((use) => use.model === model && use.tier === tier)) twin.uses.push({ model, tier });
      return;
    }
    const output = text.slice(marker.index, markers[i + 1]?.index);
    const uses = [{ model, tier }];
    const numbers = markers[i + 1]?.[1] === 'end' ? target.parse(output) : 'compiling did not finish';
    if (typeof numbers === 'string') {
      result.problems.push(`${titleOf({ shader, kernel, uses })}: no row, ${numbers}`);
      return;
    }
    const row = { shader, kernel, uses, numbers };
    result.rows.push(row);
    result.outputs.set(row, output);
    bySource.set(source, row);
  });
  if (markers[markers.length - 1]?.[1] !== 'done') result.problems.push('compiling stopped before the last pipeline');
  for (const row of result.rows) {
    for (const fault of target.faults(row.numbers)) result.problems.push(`${titleOf(row)}: ${fault}`);
  }
  return result;
};

/** Shaders that only one tier has, and the shaders that this tier lacks. @type {Record<string, { only: string[], without?: string[] }>} */
const SPECIAL = {
  'subgroup-matrix': { only: ['gemm_matrix'], without: ['gemm_workgroup', 'gemm_split_k', 'gemm_sliced_k'] },
  int8: { only: ['gemm_int8', 'quantize_rows'], without: ['gemm_sliced_k'] },
};

/** Shaders that only software adapters use. */
const SOFTWARE = ['gemm_subgroup', 'attention_subgroup'];

/** @param {string} shader @param {string} tier */
const belongs = (shader, tier) =>
  !SOFTWARE.includes(shader) &&
  Object.entries(SPECIAL).every(([special, { only, without = [] }]) =>
    special === tier ? !without.includes(shader) : !only.includes(shader),
  );

/**
 * Problems of a full run: it must have every shader in every model and tier in which the shader can differ.
 * @param {Row[]} rows
 * @param {{ shaders: string[], models: string[], tiers: string[] }} expected
 * @returns {string[]}
 */
export const missingRows = (rows, { shaders, models, tiers }) =>
  shaders.flatMap((shader) =>
    models.flatMap((model) =>
      tiers
        .filter((tier) => belongs(shader, tier))
        .flatMap((tier) => {
          const found = rows.some(
            (row) => row.shader === shader && row.uses.some((use) => use.model === model && use.tier === tier),
          );
          return found ? [] : [`${shader}.wgsl: no row for ${model}, ${tier}`];
        }),
    ),
  );
