import { describe, expect, it } from 'vitest';
import { specialise } from './kernel';

const SHADER = `// const K: u32 = 1; in a comment
alias act_t = f32; // storage
alias w_t = vec4<u32>;
const K: u32 = 256; // a note
const KEYS = K * 4;
const EPS: f32 = 1e-5;
const GATHER: bool = false;
fn main() { const K2: u32 = 3; }
`;

const lineOf = (code: string, start: string) => code.split('\n').find((line) => line.startsWith(start));

describe('specialise', () => {
  it('rewrites constants and aliases and leaves everything else', () => {
    const code = specialise(SHADER, { K: 32, GATHER: true, w_t: 'vec2<u32>' });
    expect(code).toBe(
      SHADER.replace('\nconst K: u32 = 256;', '\nconst K: u32 = 32;')
        .replace('bool = false', 'bool = true')
        .replace('w_t = vec4<u32>', 'w_t = vec2<u32>'),
    );
  });

  it('returns the source unchanged without constants', () => expect(specialise(SHADER, {})).toBe(SHADER));

  it('writes f32 constants as WGSL floats, including whole and small ones', () => {
    expect(lineOf(specialise(SHADER, { EPS: 2 }), 'const EPS')).toBe('const EPS: f32 = 2.0;');
    expect(lineOf(specialise(SHADER, { EPS: 1e-12 }), 'const EPS')).toBe('const EPS: f32 = 1e-12;');
    expect(lineOf(specialise(SHADER, { EPS: 0.25 }), 'const EPS')).toBe('const EPS: f32 = 0.25;');
  });

  it('enables f16 only if an alias becomes f16', () => {
    expect(specialise(SHADER, { act_t: 'f16' }).startsWith('enable f16;\n')).toBe(true);
    expect(specialise(SHADER, { act_t: 'f32' })).not.toContain('enable');
  });

  it('moves the enable line of the second of two joined files to the front', () => {
    const code = specialise(`${SHADER}enable chromium_x;\nconst M: u32 = 1;\n`, { act_t: 'f16' });
    expect(code.startsWith('enable f16;\nenable chromium_x;\n// const K')).toBe(true);
    expect(code.match(/enable/g)).toHaveLength(2);
  });

  it('throws for a name that the source does not declare at the top level', () => {
    expect(() => specialise(SHADER, { HIDDEN: 1 })).toThrow(
      new TypeError("The shader declares no constant or alias 'HIDDEN'."),
    );
    expect(() => specialise(SHADER, { K2: 1 })).toThrow("'K2'");
    expect(() => specialise(SHADER, { KEYS: 1 })).toThrow("'KEYS'"); // derived from K
  });

  it('unrolls loops over an index named …_unroll, UNROLL steps at a time', () => {
    const source = `const UNROLL: u32 = 1;
fn main() {
  var sum = 0u;
  for (var k_unroll = 0u; k_unroll < K; k_unroll++) { if (true) { sum += k_unroll; } }
  return sum;
}
`;
    expect(specialise(source, {})).toBe(source);
    const code = specialise(source, { UNROLL: 2 });
    expect(code).toContain('for (var k = 0u; k < K / 2; k++) {');
    expect(code).toContain('{ let k_unroll = k * 2 + 0; if (true) { sum += k_unroll; } }');
    expect(code).toContain('{ let k_unroll = k * 2 + 1; if (true) { sum += k_unroll; } }');
    expect(code.match(/sum \+=/g)).toHaveLength(2);
    expect(code).toContain('return sum;');
  });

  it('unrolls every such loop', () => {
    const loop = 'for (var i_unroll = 0u; i_unroll < N; i_unroll++) { x += i_unroll; }';
    const code = specialise(`const UNROLL: u32 = 4;\nfn main() {\n${loop}\n${loop}\n}\n`, {});
    expect(code.match(/for \(var i = 0u; i < N \/ 4; i\+\+\)/g)).toHaveLength(2);
    expect(code.match(/x \+= i_unroll/g)).toHaveLength(8);
  });

  it('unrolls a loop that ends at a literal completely, with constants for its index', () => {
    const code = specialise(
      'fn main() {\n  for (var i_unroll = 0u; i_unroll < 3; i_unroll++) { x[i_unroll] = 0; }\n}\n',
      {},
    );
    const step = (i: number) => `{ const i_unroll = ${i}u; x[i_unroll] = 0; }`;
    expect(code).toBe(`fn main() {\n  ${step(0)}\n${step(1)}\n${step(2)}\n}\n`);
  });
});
