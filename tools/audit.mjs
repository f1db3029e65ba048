// Known vulnerabilities of what is published: installed dependencies and packages in the bundles, which npm counts as development
// dependencies. Needs the build's lists of licences. Without an advisory service (mirrors of the registry have none) it says so, and only
// `--required` makes that a failure.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { ROOT } from './bundle.mjs';
import { LICENCES_FILE } from './licences.mjs';

const SERIOUS = ['high', 'critical'];

/**
 * The part that is read of the files.
 * @typedef {{ packages: Record<string, { dev?: boolean, link?: boolean }> }} Lock
 * @typedef {{ name: string, severity: string, range?: string, via?: (string | { title?: string, url?: string })[] }} Finding
 * @typedef {{ auditReportVersion?: number, vulnerabilities?: Record<string, Finding>, message?: string, error?: { code?: string, summary?: string } }} Report
 */

/**
 * Names of the packages that users get: those of the lock file that are not for development only, and those in the bundles.
 * @param {Lock} lock
 * @param {string[]} licences texts by licences.mjs
 * @returns {Set<string>}
 */
export const shippedPackages = ({ packages }, licences) =>
  new Set([
    ...Object.entries(packages).flatMap(([path, { dev, link }]) =>
      path.includes('node_modules/') && !dev && !link ? [path.replace(/^.*node_modules\//, '')] : [],
    ),
    ...licences.flatMap((text) => [...text.matchAll(/^(\S+) \d+\.\d\S* \(.+\)$/gm)].map(([, name]) => name)),
  ]);

/**
 * What `npm audit --json` has found. Throws an Error if npm failed for another reason than that nobody answers.
 * @param {Report} report
 * @param {Set<string>} shipped
 * @returns {{ notRun: string } | { serious: string[], others: string[] }} `serious`: at least high, of packages that users get
 */
export const judge = (report, shipped) => {
  const { auditReportVersion, vulnerabilities, message = '', error } = report;
  if (auditReportVersion === undefined || !vulnerabilities) {
    // 405 Method Not Allowed - POST …/-/npm/v1/security/advisories/bulk
    if (/\/security\/(advisories|audits)\b/.test(message)) return { notRun: message };
    throw new Error(
      `npm audit failed: ${error?.summary || error?.code || message || JSON.stringify(report).slice(0, 200)}`,
    );
  }
  const lines = (/** @type {boolean} */ isSerious) =>
    Object.values(vulnerabilities)
      .filter(({ name, severity }) => isSerious === (SERIOUS.includes(severity) && shipped.has(name)))
      .map(({ name, range, severity, via = [] }) => {
        const causes = via.map((cause) => (typeof cause === 'string' ? cause : `${cause.title} ${cause.url}`));
        return `${severity}: ${[name, range].filter(Boolean).join(' ')}: ${causes.join('; ')}`;
      });
  return { serious: lines(true), others: lines(false) };
};

if (argv[1] === fileURLToPath(import.meta.url)) {
  const read = (/** @type {string} */ path) => readFileSync(join(ROOT, path), 'utf8');
  const dists = ['dist', 'cli/dist', 'dist/demo'];
  const shipped = shippedPackages(
    JSON.parse(read('package-lock.json')),
    dists.map((dist) => read(`${dist}/${LICENCES_FILE}`)),
  );
  const { stdout, stderr, error } = spawnSync(
    'npm',
    ['audit', '--json', '--fetch-retries=1', '--fetch-timeout=30000'],
    {
      cwd: ROOT,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    },
  );
  if (error || !stdout.trim()) throw new Error(`npm audit did not run: ${error?.message ?? stderr}`);
  const result = judge(JSON.parse(stdout), shipped);
  if ('notRun' in result) {
    console.log(`Vulnerabilities: not run: no advisory service (${result.notRun}).`);
    if (argv.includes('--required')) process.exitCode = 1;
  } else {
    const { serious, others } = result;
    for (const line of others) console.log(`(not failing) ${line}`);
    for (const line of serious) console.error(line);
    console.log(
      `Vulnerabilities: ${serious.length} high or critical in the ${shipped.size} packages that users get, ${others.length} others.`,
    );
    if (serious.length > 0) process.exitCode = 1;
  }
}
