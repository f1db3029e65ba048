import { expect, test } from 'vitest';
import { judge, shippedPackages } from './audit.mjs';

const shipped = new Set(['bundled']);
const finding = (name: string, severity: string) => ({
  name,
  severity,
  range: '<2',
  via: [{ title: 'Prototype pollution', url: 'https://github.com/advisories/GHSA-1' }, 'inner'],
});
const reportOf = (...found: ReturnType<typeof finding>[]) => ({
  auditReportVersion: 2,
  vulnerabilities: Object.fromEntries(found.map((one) => [one.name, one])),
});

test('what users get: dependencies that are not for development only, and packages in the bundles', () => {
  const lock = {
    packages: {
      '': {},
      cli: {},
      'node_modules/own': { link: true },
      'node_modules/runtime': {},
      'node_modules/@scope/peer': {},
      'node_modules/tool': { dev: true },
      'node_modules/tool/node_modules/inner': { dev: true },
    },
  };
  const text =
    'Intro.\n\n@scope/bundled 1.0.0-dev.2 (MIT)\nother 2.3.4 ((MIT OR GPL-3.0))\n\nCopyright 2020 (c) Somebody\n';
  expect([...shippedPackages(lock, [text])]).toEqual(['runtime', '@scope/peer', '@scope/bundled', 'other']);
});

test('high and critical findings in what users get fail; others are named', () => {
  expect(judge(reportOf(), shipped)).toEqual({ serious: [], others: [] });
  const report = reportOf(finding('bundled', 'high'), finding('tool', 'critical'));
  expect(judge(report, shipped)).toEqual({
    serious: ['high: bundled <2: Prototype pollution https://github.com/advisories/GHSA-1; inner'],
    others: ['critical: tool <2: Prototype pollution https://github.com/advisories/GHSA-1; inner'],
  });
  expect(judge(reportOf(finding('bundled', 'moderate')), shipped)).toMatchObject({
    serious: [],
    others: [expect.stringMatching(/^moderate/)],
  });
});

test('a registry without advisories, or none, is told from other failures', () => {
  const message = '405 Method Not Allowed - POST https://registry.example/-/npm/v1/security/advisories/bulk';
  expect(judge({ message, error: { summary: '' } }, shipped)).toEqual({ notRun: message });
  const refused =
    'request to http://127.0.0.1:9/-/npm/v1/security/advisories/bulk failed, reason: connect ECONNREFUSED 127.0.0.1:9';
  expect(judge({ message: refused }, shipped)).toEqual({ notRun: refused });
  const error = { code: 'ENOLOCK', summary: 'This command requires an existing lockfile.' };
  expect(() => judge({ error }, shipped)).toThrow('npm audit failed: This command requires an existing lockfile.');
  expect(() => judge({ message: 'something else' }, shipped)).toThrow('npm audit failed: something else');
  expect(() => judge({}, shipped)).toThrow('npm audit failed: {}');
});
