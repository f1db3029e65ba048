import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { exported, longTasks, textOf, useDemo, waitForText, watchLongTasks } from './demo-page';
import { makePdf } from './pdf';
import { expectAccessible, takePictures } from './pictures';

const open = useDemo();

const TEXTS = [
  'The capital of [MASK] is Tokyo.',
  'She opened the [MASK] and walked into the [MASK].',
  'It was the best of times, it was the worst of times.',
];
/** Cosines of transformers' mean-pooled outputs, whose weights are the same in q4: texts 1 to 3 of golden/nano-embed.safetensors. */
const GOLDEN = [
  [1, 0.7114, 0.1116],
  [0.7114, 1, 0.1716],
  [0.1116, 0.1716, 1],
];

/** Compares texts, one per line, and waits for the map of all `count` (files count too). */
const compare = async (page: Page, texts: string[], count = texts.length) => {
  await page.fill('#texts', `${texts.join('\n')}\n\n`);
  await page.click('#compare');
  await drawn(page, count);
};

/** Waits for the map of `count` texts, which a run draws last. */
const drawn = (page: Page, count: number) =>
  page.locator(`#map .map-surface[aria-label^="Map of ${count} texts"]`).waitFor();

/** The results saved as JSON. */
const savedJson = async (page: Page) =>
  JSON.parse((await exported(page, '#embeddings', 'Vectors as JSON')).bytes.toString());

it('draws and saves the same as an independent implementation', async () => {
  const prompts = { query: 'search_query: ', document: 'search_document: ' };
  const page = await open({
    path: '#embeddings?prompt=',
    prepare: (page) =>
      page.route('**/nano-embed-q4/config_sentence_transformers.json', (route) => route.fulfill({ json: { prompts } })),
  });
  await compare(page, TEXTS);
  expect(await textOf(page, '#texts-count')).toMatch(/^3 texts, \d+ tokens; the longest \d+ \/ 8,192 tokens$/);
  expect(await page.locator('.heatmap tbody th').allInnerTexts()).toEqual(TEXTS.map((text, i) => `${i + 1}\n${text}`));
  const cells = (await page.locator('.heatmap tbody td').allInnerTexts()).map(Number);
  expect(cells).toHaveLength(9);
  GOLDEN.flat().forEach((cosine, i) => {
    expect(Math.abs(cells[i] - cosine)).toBeLessThan(0.0051); // two digits are shown
  });

  const saved = await savedJson(page);
  const { embeddings, ...facts } = saved;
  expect(facts).toEqual({ model: 'nano-embed-q4', prompt: '', dim: 256, texts: TEXTS });
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  TEXTS.forEach((_, i) => {
    TEXTS.forEach((_, j) => {
      expect(dot(embeddings[i], embeddings[j])).toBeCloseTo(GOLDEN[i][j], 3);
    });
  });
  const { name, bytes } = await exported(page, '#embeddings', 'Vectors as .npy');
  expect(name).toBe('embeddings.npy');
  expect(bytes.toString('latin1')).toContain("'shape': (3, 256)");
  const values = Array.from({ length: 768 }, (_, i) => bytes.readFloatLE(bytes.length - 4 * (768 - i)));
  expect(values).toEqual(embeddings.flat().map(Math.fround));

  const png = await exported(page, '#embeddings', 'Map as PNG');
  expect(png.name).toBe('map.png');
  expect(png.bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const svg = (await exported(page, '#embeddings', 'Map as SVG')).bytes.toString();
  expect(svg.match(/<circle/g)).toHaveLength(3);
  expect(svg).toContain('>The capital of [MASK] is…</text>'); // few texts stand beside their points

  await page.locator('summary', { hasText: 'Options' }).click();
  expect(await page.locator('#prompt option').allInnerTexts()).toEqual([
    'nothing',
    'query: “search_query: ”',
    'document: “search_document: ”',
  ]);
  await page.selectOption('#prompt', 'query');
  await page.selectOption('#dimensions', '64');
  await waitForText(page, '#dimensions-note', 'Only models that were trained for fewer numbers');
  await page.click('#compare');
  await waitForText(page, '#vectors-size', '3 × 64 numbers');
  await page.locator('#embeddings .take-away').getByRole('button', { name: 'Code' }).click();
  await waitForText(page, '#embeddings .snippet >> nth=0', /\{ prompt: "search_query: ", dimensions: 64 \}/);
  const other = await savedJson(page);
  expect(other).toMatchObject({ prompt: 'search_query: ', dim: 64 });
  expect(Math.abs(dot(other.embeddings[0], other.embeddings[1]) - GOLDEN[0][1])).toBeGreaterThan(0.01);
  await page.waitForURL(/prompt=query&.*size=64/);
});

it('stops a run while a text is too long, and starts none', async () => {
  const page = await open({ path: '#embeddings' });
  const lines = Array.from({ length: 80 }, (_, i) => `${'the '.repeat(100)}${i}`).join('\n');
  await page.fill('#texts', lines);
  await page.click('#compare');
  await waitForText(page, '#embeddings form .progress .count', /^Embedding: \d+ of 80 texts/);
  await page.fill('#texts', `${'the '.repeat(8200)}\n${lines}`);
  await waitForText(page, '#texts-count', /tokens too many/);
  expect(await textOf(page, '#compare')).toBe('Stop');
  expect(await page.isDisabled('#compare')).toBe(false);
  await page.focus('#compare');
  await page.keyboard.press('Enter');
  await waitForText(page, '#embeddings .status', 'Stopped.');
  expect(await textOf(page, '#compare')).toBe('Compare');
  expect(await page.isDisabled('#compare')).toBe(true);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('texts'); // what is to be shortened
  await page.fill('#texts', 'the sea');
  await expect.poll(() => page.isDisabled('#compare')).toBe(false);
});

it('reads files of every supported type, and says why it cannot read others', async () => {
  const page = await open({ path: '#embeddings' });
  const file = (name: string, text: string | Buffer) => ({ name, mimeType: '', buffer: Buffer.from(text) });
  await page.setInputFiles('#drop input:not([webkitdirectory])', [
    file('note.md', '# Whales\nThey breathe.'),
    file('page.html', '<head><title>x</title></head><p>One &amp;\n two<script>three</script><p>four'),
    file('paper.pdf', makePdf(['Whales are mam-', 'mals (of the sea).'])),
    file('whale.pdf', makePdf(['鲸鱼不是鱼。'], { chinese: true })),
    file('locked.pdf', makePdf(['x'], { encrypted: true })),
    file('empty.txt', ''),
    file('photo.png', 'x'),
  ]);
  // The next files come while the first are read.
  await page.setInputFiles('#drop input:not([webkitdirectory])', [
    file('last.txt', 'Read after the others.'),
    ...Array.from({ length: 300 }, (_, i) => file(`${i}.${i % 2 ? 'jpg' : 'png'}`, 'x')),
  ]);
  await waitForText(page, '#file-error', /300 files of other types \(\.png, \.jpg\) were left out\. Text, Markdown/);
  expect(await textOf(page, '#file-error')).toMatch(
    /^photo\.png is of a type that cannot be read\..*\nempty\.txt is empty\.\nlocked\.pdf is locked with a password/s,
  );
  expect(await page.locator('#documents .name').allInnerTexts()).toEqual([
    'note.md',
    'page.html',
    'paper.pdf',
    'whale.pdf',
    'last.txt',
  ]);
  await page.getByRole('button', { name: 'Remove last.txt' }).click();
  await compare(page, ['The sea.'], 5);
  expect((await savedJson(page)).texts).toEqual([
    'The sea.',
    '# Whales\nThey breathe.',
    'One & two\n\nfour',
    'Whales are mammals (of the sea).',
    '鲸鱼不是鱼。',
  ]);
  await page.getByRole('button', { name: 'Remove page.html' }).click();
  expect(await page.locator('#documents .name').allInnerTexts()).toEqual(['note.md', 'paper.pdf', 'whale.pdf']);
  await waitForText(page, '#texts-count', '4 texts');
  await waitForText(page, '.stale-note', 'Out of date: something has changed since. Press Compare for new results.');
  await compare(page, ['The sea.'], 4);
  expect(await textOf(page, '.stale-note')).toBe('');

  // Dropped files, apart from folders, work the same way.
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['Dropped.'], 'dropped.txt'));
    for (const type of ['dragenter', 'dragover', 'drop']) {
      document
        .querySelector('#texts')
        ?.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
    }
  });
  await waitForText(page, '#documents', 'dropped.txt');

  // Reading that takes long can be cancelled.
  await page.evaluate(() => {
    const { arrayBuffer } = Blob.prototype;
    Blob.prototype.arrayBuffer = async function () {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return arrayBuffer.call(this);
    };
    Object.assign(window, { quickAgain: () => Object.assign(Blob.prototype, { arrayBuffer }) });
  });
  const slow = ['slow-1.txt', 'slow-2.txt', 'slow-3.txt'].map((name) => file(name, 'Slow.'));
  await page.setInputFiles('#drop input:not([webkitdirectory])', slow);
  await waitForText(page, '#embeddings .reading .count', 'Reading: 1 of 3 files');
  await page.locator('#embeddings .reading button').click();
  await page.waitForSelector('#embeddings .reading .progress', { state: 'hidden' });
  await page.evaluate(() => void (window as unknown as { quickAgain(): void }).quickAgain());
  expect(await page.locator('#documents', { hasText: 'slow-' }).count()).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('texts');

  // A folder of which the browser can read only a part.
  await page.evaluate(() => {
    const entry = (path: string, isFile: boolean, own: object) =>
      ({ name: path.split('/').at(-1), fullPath: `/${path}`, isFile, ...own }) as unknown as FileSystemEntry;
    const file = (path: string, read: (done: (file: File) => void, failed: (error: unknown) => void) => void) =>
      entry(path, true, { file: read });
    const batches = [
      [
        file('mixed/read.txt', (done) => done(new File(['Read.'], 'read.txt'))),
        file('mixed/locked.txt', (_, failed) => failed(new DOMException('denied', 'NotReadableError'))),
      ],
      [],
    ];
    const folder = entry('mixed', false, {
      createReader: () => ({ readEntries: (done: (batch?: FileSystemEntry[]) => void) => done(batches.shift()) }),
    });
    const { webkitGetAsEntry } = DataTransferItem.prototype;
    DataTransferItem.prototype.webkitGetAsEntry = () => folder;
    const data = new DataTransfer();
    data.items.add(new File([], 'mixed'));
    const drop = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data });
    document.querySelector('#texts')?.dispatchEvent(drop);
    DataTransferItem.prototype.webkitGetAsEntry = webkitGetAsEntry;
  });
  await waitForText(page, '#documents', 'mixed/read.txt');
  expect(await textOf(page, '#drop + .error')).toBe(
    'mixed/locked.txt could not be read: its permissions do not allow it, or another program has it locked.',
  );
  await page.click('#documents button[aria-label="Remove mixed/read.txt"]');
  await page.setInputFiles('#drop input:not([webkitdirectory])', [file('long.txt', 'the '.repeat(8200))]);
  await waitForText(page, '#texts-count', /^long\.txt: 8,\d+ \/ 8,192 tokens, \d+ tokens too many/);
  expect(await page.isDisabled('#compare')).toBe(true);
  await page.locator('summary', { hasText: 'Options' }).click();
  await page.check('#parts');
  await waitForText(page, '#texts-count', /^6 texts/);
  expect(await page.isDisabled('#compare')).toBe(false);

  // They are still there at the next visit.
  const names = ['note.md', 'paper.pdf', 'whale.pdf', 'dropped.txt', 'long.txt'];
  expect(await page.locator('#documents .name').allInnerTexts()).toEqual(names);
  await page.reload();
  await waitForText(page, '#documents', 'long.txt');
  expect(await page.locator('#documents .name').allInnerTexts()).toEqual(names);
});

it('maps texts: pointer, keyboard, selection, neighbours; compares many in an image; stays responsive; accessible on every screen', async () => {
  const page = await open({ path: '#embeddings?map=umap' });
  const words = ['sea', 'ship', 'bread', 'price', 'king', 'queen', 'rain', 'snow'];
  await compare(page, words);
  await waitForText(page, '#map .map-note', 'Neighbours stay neighbours');

  await page.locator('#map .map-surface').focus();
  await waitForText(page, '.map-tip', '1  sea');
  await page.keyboard.press('Enter');
  await waitForText(page, '#selection', 'Nearest texts');
  expect(await page.locator('#selection li').count()).toBe(5);
  const nearest = page.locator('#selection li').first();
  const [name, cosine] = [
    await nearest.locator('button').innerText(),
    Number(await nearest.locator('.count').innerText()),
  ];
  const row = (await page.locator('.heatmap tbody tr').first().locator('td').allInnerTexts()).map(Number).slice(1);
  expect(cosine).toBe(Math.max(...row));
  expect(name).toBe(words[1 + row.indexOf(cosine)]);

  await page.check('#map-part input[value=pca]', { force: true });
  await waitForText(page, '#map .map-note', 'most variance');
  await page.waitForFunction(() => !location.hash.includes('map=umap'));
  await page.locator('#map .map-select').click();
  await page.locator('#map .map-surface').scrollIntoViewIfNeeded();
  const box = await page.locator('#map .map-surface').boundingBox();
  if (!box) throw new Error('The map is not drawn.');
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + box.height - 2, { steps: 3 });
  await page.mouse.up();
  await waitForText(page, '#selection', '8 texts selected');

  await page.locator('#map .map-surface').focus();
  await takePictures(page, 'embeddings', '#embeddings');
  // Three tries, since a busy machine makes tasks long too.
  let long: number[] = [];
  for (const n of [42, 43, 44]) {
    await page.fill('#texts', Array.from({ length: n }, (_, i) => `${i % 2 ? 'ship' : 'bread'} ${i}`).join('\n'));
    await waitForText(page, '#texts-count', `${n} texts`);
    await watchLongTasks(page);
    await page.click('#compare');
    await drawn(page, n);
    long = await longTasks(page, 100);
    if (long.length === 0) break;
  }
  expect(long).toEqual([]);
  const canvas = page.locator('.heat-image canvas');
  await canvas.focus();
  await page.keyboard.press('ArrowRight');
  await waitForText(page, '.heat-image figcaption', /^1\.00 1 “bread 0”$/);
  await page.keyboard.press('ArrowRight');
  // Similar texts are next to each other: the first neighbour is about bread too.
  await waitForText(page, '.heat-image figcaption', /^0\.\d\d 1 “bread 0” and \d+ “bread \d+”$/);
  const colours = await canvas.evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    return new Set(data).size;
  });
  expect(colours).toBeGreaterThan(10);
  await expectAccessible(page, '#embeddings');
  await page.screenshot({ path: 'test-results/embeddings-many.png', fullPage: true });
});

it('stands with its result when another model is chosen, and says whose it is', async () => {
  const page = await open({ path: '#embeddings' });
  await compare(page, ['sea', 'ship', 'bread']);
  await waitForText(page, '#map .map-note', 'Vectors by nano-embed-q4.');
  const cells = () => page.locator('.heatmap td').allInnerTexts();
  const [before, svg] = [
    await cells(),
    async () => (await exported(page, '#embeddings', 'Map as SVG')).bytes.toString(),
  ];
  const map = await svg();
  await page.click('#embeddings .change');
  await page.locator('#embeddings .card', { hasText: 'all-MiniLM-L6-v2' }).getByRole('button').click();
  await waitForText(page, '#embeddings .model-state', 'ready');
  await waitForText(page, '#embeddings .stale-note', 'Out of date');
  expect(await textOf(page, '#map .map-note')).toMatch(/Vectors by nano-embed-q4\.$/);
  expect(await textOf(page, '#vectors-size')).toBe('3 × 256 numbers by nano-embed-q4');
  expect([await cells(), await svg()]).toEqual([before, map]);

  await page.click('#compare');
  await waitForText(page, '#map .map-note', 'Vectors by all-MiniLM-L6-v2.');
  expect(await textOf(page, '#vectors-size')).toBe('3 × 384 numbers by all-MiniLM-L6-v2');
  expect(await cells()).not.toEqual(before);
  expect(await textOf(page, '#embeddings .stale-note')).toBe('');
});

it.each([
  [390, 844],
  [390, 664],
  [320, 640],
])(
  'shows field and answer on one screen of a phone of %d × %d, and moves nothing when it comes',
  async (width, height) => {
    const page = await open({
      path: '#embeddings',
      prepare: async (page) => {
        await page.setViewportSize({ width, height });
        await page.addInitScript(() => {
          const seen = { shift: 0 };
          Object.assign(window, { seen });
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
              if (!entry.hadRecentInput) seen.shift += entry.value;
          }).observe({ type: 'layout-shift', buffered: true });
        });
      },
    });
    await page.locator('#compare').click();
    await drawn(page, 6);
    /** How much of a part of the page is on the screen, in pixels. */
    const onScreen = (part: string) =>
      page.locator(part).evaluate((part) => {
        const { top, bottom, height } = part.getBoundingClientRect();
        return { all: height, seen: Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)) };
      });
    const isWhole = async (part: string) => {
      const { all, seen } = await onScreen(part);
      return seen > all - 0.5;
    };
    for (const part of ['#texts-label', '#texts', '#compare', '#closest']) {
      await expect.poll(() => isWhole(part), { message: part }).toBe(true);
    }
    const table = await onScreen('#heatmap');
    if (height === 844) expect(table.seen).toBeGreaterThan(table.all - 0.5);
    else expect(table.seen).toBeGreaterThan(40);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    const shift = await page.evaluate(() => (window as unknown as { seen: { shift: number } }).seen.shift);
    expect(shift).toBeLessThan(0.1);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('compare');
  },
);
