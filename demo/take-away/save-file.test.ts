import { expect, it } from 'vitest';
import { csvText } from './save-file';

it('writes tables that spreadsheets read as they are', async () => {
  const rows = [
    { word: '=HYPERLINK("x")', share: -0.5 },
    { word: '-', share: 0.25 },
    { word: 'Käse, "alt"\nund jung', share: undefined },
  ];
  expect(await csvText(rows)).toBe(
    `\ufeffword,share\r\n"'=HYPERLINK(""x"")",-0.5\r\n-,0.25\r\n"Käse, ""alt""\nund jung",\r\n`,
  );
});
