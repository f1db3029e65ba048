import { describe, expect, test } from 'vitest';
import { backportsSource } from './apt-sources.mjs';
import { installPlan, parseOsRelease, shellLines } from './install-plan.mjs';

const DEBIAN_12 =
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n';
const DEBIAN_13 = 'VERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n';
const DEBIAN_SID = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky\nID=debian\n';
const UBUNTU = 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n';
const MINT = 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n';
const FEDORA = 'ID=fedora\nVERSION_ID=42\n';

const DEB822 = {
  path: '/etc/apt/sources.list.d/debian.sources',
  text: `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`,
};
const ONE_LINE = {
  path: '/etc/apt/sources.list',
  text: `# deb cdrom:[Debian 12]/ bookworm main
deb-src http://mirror.example/debian bookworm main
deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian/ bookworm main non-free # comment
deb http://mirror.example/debian/ bookworm-updates main
`,
};
const NOTHING = { chromium: false, firefox: false, vulkan: false };
const ALL = { chromium: true, firefox: true, vulkan: true };
const BROWSERS = 'apt-get install -y --no-install-recommends chromium firefox-esr fonts-liberation';
const MESA_12 = 'apt-get install -y --no-install-recommends -t bookworm-backports mesa-vulkan-drivers mesa-drm-shim';
const MESA = 'apt-get install -y --no-install-recommends mesa-vulkan-drivers mesa-drm-shim';
const MESA_UBUNTU = 'apt-get install -y --no-install-recommends mesa-vulkan-drivers';

const plan = (osRelease: string, change: Partial<Parameters<typeof installPlan>[0]> = {}) => {
  const { steps, byHand } = installPlan({
    platform: 'linux',
    osRelease,
    sources: [DEB822],
    isRoot: true,
    needs: ALL,
    ...change,
  });
  return { lines: shellLines(steps, change.isRoot ?? true), byHand };
};

describe('apt sources', () => {
  test('a deb822 entry keeps its URI and key, and gets the new suite', () => {
    expect(backportsSource([DEB822], 'bookworm')).toEqual({
      path: '/etc/apt/sources.list.d/bookworm-backports.sources',
      text: `Types: deb
Suites: bookworm-backports
Components: main
URIs: http://mirror.example/debian
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    });
  });

  test('a key inside a deb822 entry keeps its continuation lines', () => {
    const key = 'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc:def\n -----END PGP PUBLIC KEY BLOCK-----';
    const text = `Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n${key}\n`;
    const source = backportsSource([{ path: 'x.sources', text }], 'bookworm');
    expect(source).toMatchObject({ text: expect.stringContaining(key) });
  });

  test('a one-line entry keeps its options', () => {
    expect(backportsSource([ONE_LINE], 'bookworm')).toEqual({
      path: '/etc/apt/sources.list.d/bookworm-backports.list',
      text: 'deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian/ bookworm-backports main\n',
    });
  });

  test('backports are not added twice, unless the entry is disabled', () => {
    const line = { path: 'b.list', text: 'deb http://mirror.example/debian bookworm-backports main\n' };
    expect(backportsSource([DEB822, line], 'bookworm')).toBe('present');
    const stanza = 'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n';
    expect(backportsSource([DEB822, { path: 'b.sources', text: stanza }], 'bookworm')).toBe('present');
    const off = { path: 'b.sources', text: `Enabled: no\n${stanza}` };
    expect(backportsSource([DEB822, off], 'bookworm')).toMatchObject({ text: expect.stringContaining('URIs') });
    expect(backportsSource([DEB822, { ...line, text: `# ${line.text}` }], 'bookworm')).toHaveProperty('path');
  });

  test("an archive of another vendor with the same suite name is not used as Debian's", () => {
    const vendor = {
      path: '/etc/apt/sources.list.d/a.list',
      text: 'deb http://vendor.example/node_20.x bookworm main\n',
    };
    expect(backportsSource([vendor], 'bookworm')).toBeUndefined();
    const source = backportsSource([vendor, DEB822], 'bookworm');
    expect(source).toMatchObject({ text: expect.stringContaining('http://mirror.example/debian') });
  });
});

describe('install plan', () => {
  test('reads os-release with and without quotes', () => {
    expect(parseOsRelease(DEBIAN_12)).toEqual({ ids: ['debian'], version: 12, codename: 'bookworm' });
    expect(parseOsRelease(MINT)).toEqual({ ids: ['linuxmint', 'ubuntu', 'debian'], version: 22, codename: '' });
    expect(parseOsRelease('')).toEqual({ ids: [], version: Number.NaN, codename: '' });
  });

  test('Debian 12 takes Mesa from backports and adds the suite before it updates', () => {
    const { lines, byHand } = plan(DEBIAN_12);
    expect(byHand).toBeUndefined();
    expect(lines[0]).toBe("tee /etc/apt/sources.list.d/bookworm-backports.sources <<'END'");
    expect(lines.slice(lines.indexOf('END') + 1)).toEqual(['apt-get update', BROWSERS, MESA_12]);
  });

  test('installs only what is missing', () => {
    const lines = (needs: Partial<typeof ALL>) => plan(DEBIAN_13, { needs: { ...NOTHING, ...needs } }).lines;
    expect(plan(DEBIAN_12, { needs: { ...ALL, vulkan: false } }).lines).toEqual(['apt-get update', BROWSERS]);
    expect(lines({ chromium: true })).toEqual(['apt-get update', BROWSERS.replace('firefox-esr ', '')]);
    expect(lines({ firefox: true })).toEqual(['apt-get update', BROWSERS.replace('chromium ', '')]);
    expect(lines({ vulkan: true })).toEqual(['apt-get update', MESA]);
  });

  test('later Debian releases use their own Mesa', () => {
    for (const release of [DEBIAN_13, DEBIAN_SID]) {
      expect(plan(release)).toEqual({ lines: ['apt-get update', BROWSERS, MESA], byHand: undefined });
    }
  });

  test('Ubuntu and its derivatives take Chromium from Playwright, as theirs is a snap; Firefox is left to the user', () => {
    for (const release of [UBUNTU, MINT]) {
      const { lines, byHand } = plan(release);
      expect(byHand).toBeUndefined();
      expect(lines).toEqual(['apt-get update', MESA_UBUNTU, 'npx playwright install chromium --with-deps']);
    }
  });

  test('Ubuntu has nothing to install for a missing Firefox', () => {
    expect(plan(UBUNTU, { needs: { ...NOTHING, firefox: true } })).toEqual({ lines: [], byHand: undefined });
  });

  test('without root it shows the same commands with sudo', () => {
    const { lines, byHand } = plan(DEBIAN_13, { isRoot: false });
    expect(byHand).toMatch(/root/);
    expect(lines).toEqual(['sudo apt-get update', `sudo ${BROWSERS}`, `sudo ${MESA}`]);
  });

  test('says what setup cannot do, with the commands to run if any', () => {
    expect(plan('VERSION_ID="11"\nID=debian\n').byHand).toMatch(/Debian 11/);
    expect(plan(DEBIAN_12, { sources: [] }).byHand).toMatch(/bookworm-backports/);
    expect(plan(FEDORA).lines).toEqual(['npx playwright install chromium', 'dnf install -y mesa-vulkan-drivers']);
    const mac = plan('', { platform: 'darwin', sources: [], isRoot: false, needs: { ...ALL, vulkan: false } });
    expect(mac.lines).toEqual(['npx playwright install chromium']);
    expect(mac.byHand).toMatch(/Run:$/);
  });
});
