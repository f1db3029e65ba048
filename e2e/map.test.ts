import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { exported, textOf, useDemo, waitForText } from './demo-page';
import { expectAccessible, takePictures } from './pictures';

const open = useDemo();

const SURFACE = '#search .map-surface';
const TIP = '#search .map-tip';
/** Custom properties of the light style. */
const TAPE = [0xf0, 0xcd, 0x6b];
const ACCENT = [0x1b, 0x5a, 0x8c];

/** Opens the search tab's map and waits for the points, and for the names of their clusters. */
async function openMap(page: Page, texts: string): Promise<void> {
  await page.locator('#search-map summary').click();
  await page.locator(`${SURFACE}[aria-label^="Map of ${texts} texts"]`).waitFor();
  await waitForText(page, '#search .map-note', 'most variance');
}

/** How many of the map's pixels have exactly this colour. */
const pixels = (page: Page, colour: number[]) =>
  page.locator(`${SURFACE} canvas`).evaluate(
    (canvas: HTMLCanvasElement, [red, green, blue]) =>
      new Promise<number>((resolve) =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!; // the map's own is not made to be read
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let at = 0; at < data.length; at += 4) {
              if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) count++;
            }
            resolve(count);
          }),
        ),
      ),
    colour,
  );

/** Moves the pointer to a place of the map, as shares of its width and height, and gives back what stands there. */
async function hover(page: Page, x: number, y: number): Promise<string> {
  const box = (await page.locator(SURFACE).boundingBox())!;
  await page.mouse.move(box.x + 1, box.y + 1);
  await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
  return (await page.locator(TIP).isVisible()) ? textOf(page, TIP) : '';
}

const spoken = (page: Page) => textOf(page, '#search .map-frame [aria-live]');

it('shows the passages of an index: zoom, neighbours, what a search finds, by pointer and by keyboard', async () => {
  const page = await open({ path: '#search' });
  await waitForText(page, '#index-facts', '2,784 passages');
  await openMap(page, '2,784');
  await page.locator(SURFACE).scrollIntoViewIfNeeded();

  // Hovering shows the passage, and lines to those nearest to it.
  let before = -1;
  await expect // it is drawn to its end
    .poll(async () => {
      const last = before;
      before = await pixels(page, ACCENT);
      return before === last;
    })
    .toBe(true);
  const first = await hover(page, 0.45, 0.4);
  expect(first).toMatch(/^\d+ .{20}/);
  await expect.poll(() => pixels(page, ACCENT)).toBeGreaterThan(before + 100);

  // The wheel scrolls the page, until the map has the focus.
  await page.mouse.wheel(0, 1);
  await waitForText(page, '#search .map-hint', /^Click the map first, or hold (Ctrl|⌘), to zoom with the wheel\.$/);
  expect(await hover(page, 0.45, 0.4)).toBe(first);
  for (let i = 0; i < 5; i++) await page.locator('#search .map-zoom-in').click();
  expect(await hover(page, 0.45, 0.4)).not.toBe(first);
  expect(await page.locator(SURFACE).evaluate((surface) => surface.style.touchAction)).toBe('none');
  await page.locator('#search .map-fit').click();
  expect(await hover(page, 0.45, 0.4)).toBe(first);
  expect(await page.locator(SURFACE).evaluate((surface) => surface.style.touchAction)).toBe('pan-y');

  // A click selects: the passage, those nearest to it, and its place in the book.
  await page.mouse.down();
  await page.mouse.up();
  await waitForText(page, '#map-selection', 'Nearest texts, by cosine');
  expect(await page.locator('#map-selection li').count()).toBe(5);
  expect(await textOf(page, '#map-selection > p')).toContain('Chapter');
  await page.mouse.wheel(0, -400);
  await expect.poll(() => page.locator(SURFACE).evaluate((surface) => surface.style.touchAction)).toBe('none');
  await page.keyboard.press('0');
  await page.locator('#map-selection').getByRole('button', { name: 'Open in context' }).click();
  expect((await textOf(page, '#context mark')).replace(/\s+/g, ' ')).toContain(first.slice(8, 60).trim());
  await page.keyboard.press('Escape');

  // A search lights up what it finds, in the order in which it stands below; another one others.
  await page.locator(SURFACE).focus();
  await page.keyboard.press('Escape');
  expect(await pixels(page, TAPE)).toBe(0);
  await page.fill('#query', 'a sermon about Jonah');
  await waitForText(page, '#search-status', /^\d+ passages of 2,784, in [\d.]+ m?s\.$/);
  expect(await pixels(page, TAPE)).toBeGreaterThan(1000);
  await page.locator(SURFACE).focus();
  const jonah = await spoken(page);
  expect(jonah).toMatch(/^[\d,]+ of 2,784, found as number 1: /);
  const best = async () => (await textOf(page, '#passages .text >> nth=0')).replace(/\s+/g, ' ').trim();
  const passage = await best();
  // The list shows whole sentences, the map the passage in them.
  expect(passage).toContain(
    jonah
      .replace(/\s+/g, ' ')
      .replace(/^.*? number 1: /, '')
      .slice(0, 40),
  );
  await page.fill('#query', 'how to cook whale meat');
  await expect.poll(best).not.toBe(passage);
  await page.locator(SURFACE).focus();
  expect(await spoken(page)).toMatch(/found as number 1: /);
  expect(await spoken(page)).not.toBe(jonah);

  // Keys go from point to point and select.
  const here = await spoken(page);
  await page.keyboard.press('ArrowLeft');
  expect(await spoken(page)).not.toBe(here);
  const [number] = (await spoken(page)).split(' ');
  await page.keyboard.press('Enter');
  await waitForText(page, '#map-selection > p', new RegExp(`^${number.replace(',', '')} · `));
  await page.keyboard.press('+');
  await takePictures(page, 'search-map', '#search');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator(SURFACE).scrollIntoViewIfNeeded();
  await page.screenshot({ path: 'test-results/search-map-phone.png' });
});

it('stands with its vectors when another model is chosen, and says whose they are; is drawn anew when they are others', async () => {
  const page = await open({ path: '#search?in=own' });
  await waitForText(page, '#index-facts', 'No files yet');
  const texts = ['The sea is rough today.', 'Bread needs an hour.', 'The judge was late.', 'Ships wait outside.'];
  const give = (own: string[]) =>
    page.setInputFiles(
      '#drop input[multiple]',
      own.map((text, i) => ({ name: `${i}.txt`, mimeType: '', buffer: Buffer.from(text) })),
    );
  await give(texts);
  await waitForText(page, '#index-facts', '4 files, 4 passages. Vectors by nano-embed-q4.');
  await openMap(page, '4');
  const note = () => textOf(page, '#search .map-note');
  expect(await note()).toMatch(/Vectors by nano-embed-q4\.$/);
  const surface = page.locator(SURFACE);
  await surface.focus();
  await page.keyboard.press('Enter');
  await waitForText(page, '#map-selection', 'Nearest texts');
  /** Hears what the map says while it is drawn. */
  await page.locator('#search .map-note').evaluate((note) => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => said.push(note.textContent ?? '')).observe(note, { childList: true });
  });
  const said = () => page.evaluate(() => (window as unknown as { said: string[] }).said.splice(0));

  // Another model: the vectors are the same, and so are the map and what is selected on it.
  await page.click('#search .change');
  await page.locator('#search .card', { hasText: 'all-MiniLM-L6-v2' }).getByRole('button').click();
  await waitForText(page, '#search .model-state', 'ready');
  await page.fill('#query', 'weather at sea');
  await waitForText(page, '#search-status', 'Its vectors are by nano-embed-q4');
  expect(await said()).toEqual([]);
  expect(await note()).toMatch(/Vectors by nano-embed-q4\.$/);
  expect(await textOf(page, '#map-selection')).toContain('Nearest texts');

  // Its own vectors: another map.
  await page.getByRole('button', { name: 'Embed it again with all-MiniLM-L6-v2' }).click();
  await waitForText(page, '#search .map-note', 'Vectors by all-MiniLM-L6-v2.');
  expect(await textOf(page, '#map-selection')).toContain('Choose a point');

  // Another text in the place of one, as many passages as before.
  await said();
  await give(['A quite different text stands here.']);
  await expect.poll(said).toContain('Drawing …');
  await waitForText(page, '#search .map-note', 'Vectors by all-MiniLM-L6-v2.');
  await page.locator('#search .map-select').click();
  await surface.scrollIntoViewIfNeeded();
  const box = (await surface.boundingBox())!;
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + box.height - 2, { steps: 3 });
  await page.mouse.up();
  await waitForText(page, '#map-selection', '4 texts selected');
  expect(await textOf(page, '#map-selection')).toContain('A quite different text');
  expect(await textOf(page, '#map-selection')).not.toContain('The sea is rough');
});

it('leaves one finger to the page until it is zoomed in by two', async () => {
  const page = await open({ path: '#search' });
  await page.setViewportSize({ width: 390, height: 844 });
  await waitForText(page, '#index-facts', '2,784 passages');
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 2 });
  await openMap(page, '2,784');
  const surface = page.locator(SURFACE);
  await surface.scrollIntoViewIfNeeded();
  /** Fingers from some places, in pixels from the map's middle, to others. */
  async function drag(...fingers: { from: [number, number]; to: [number, number] }[]) {
    const box = (await surface.boundingBox())!;
    const at = (share: number) =>
      fingers.map(({ from, to }, id) => ({
        id,
        x: box.x + box.width / 2 + from[0] + share * (to[0] - from[0]),
        y: box.y + box.height / 2 + from[1] + share * (to[1] - from[1]),
      }));
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(0) });
    for (let i = 1; i <= 10; i++) {
      await session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(i / 10) });
    }
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  }
  const scrolled = () => page.evaluate(() => scrollY);
  const start = await scrolled();
  await drag({ from: [0, 60], to: [0, -60] });
  await expect.poll(scrolled).toBeGreaterThan(start + 50);
  expect(await surface.getAttribute('class')).not.toContain('zoomed');

  await surface.scrollIntoViewIfNeeded();
  await drag({ from: [-20, 0], to: [-80, 0] }, { from: [20, 0], to: [80, 0] });
  await expect.poll(() => surface.getAttribute('class')).toContain('zoomed');
  const zoomed = await scrolled();
  const white = [255, 255, 255];
  const before = await pixels(page, white);
  await drag({ from: [0, 60], to: [80, -60] });
  expect(await pixels(page, white)).not.toBe(before);
  expect(await scrolled()).toBe(zoomed);
});

/** An exported index of `rows` passages in four files, each about one thing. */
function syntheticIndex(rows: number): Buffer {
  const dim = 256;
  const topics = ['harbour', 'bakery', 'orchard', 'furnace'];
  const vectors = Buffer.alloc(rows * dim);
  let state = 1;
  const random = () => {
    state = Math.imul(state, 1103515245) + 12345;
    return (state >>> 16) / 65536;
  };
  const lines = Array.from({ length: rows }, (_, i) => {
    const topic = i % 4;
    for (let k = 0; k < dim; k++) {
      vectors.writeInt8(Math.round((k % 4 === topic ? 60 : 0) + 40 * (random() - 0.5)), i * dim + k);
    }
    const text = `The ${topics[topic]} of number ${i}`;
    const metadata = { file: `${topics[topic]}.txt`, place: '', start: 0 };
    return `${JSON.stringify({ id: `${i}`, text, metadata, passages: [0, text.length] })}\n`;
  });
  const documents = Buffer.from(lines.join(''));
  const spec = {
    version: 1,
    embeddingSpace: 'nano-embed-q4~8f73108c/q4/mean/256/unit/int8',
    precision: 'int8',
    metric: 'cosine',
    dim,
    chunk: { maxTokens: 128, overlap: 16 },
    document: {},
  };
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { format: 'modernbert-webgpu/search', index: JSON.stringify(spec) },
      vectors: { dtype: 'I8', shape: [rows, dim], data_offsets: [0, vectors.length] },
      documents: {
        dtype: 'U8',
        shape: [documents.length],
        data_offsets: [vectors.length, vectors.length + documents.length],
      },
    }),
  );
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header, vectors, documents]);
}

it('draws 20,000 passages: a colour for each file, one at a time, and UMAP that can be cancelled', async () => {
  const rows = 20_000;
  const page = await open({
    path: '#search',
    prepare: (page) =>
      page.route('**/samples/moby-dick.safetensors', (route) => route.fulfill({ body: syntheticIndex(rows) })),
  });
  await waitForText(page, '#index-facts', '20,000 passages');
  await openMap(page, '20,000');
  const legend = page.locator('#search .map-legend button');
  expect(await legend.allInnerTexts()).toEqual(['harbour.txt', 'bakery.txt', 'orchard.txt', 'furnace.txt']);
  const empty = [255, 255, 255];
  const all = await pixels(page, empty);
  const box = (await page.locator(SURFACE).boundingBox())!;
  expect(all).toBeLessThan(box.width * box.height - 5000);

  // Every cluster is about one file: where its points are, its texts are.
  await legend.nth(1).click();
  expect(await legend.nth(1).getAttribute('aria-pressed')).toBe('true');
  await page.locator(SURFACE).focus();
  expect(await spoken(page)).toBe('1 of 20,000: The harbour of number 0');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  expect(await spoken(page)).toMatch(/^[\d,]+ of 20,000: The \w+ of number \d+$/);
  const [, near] = /The (\w+) of/.exec(await spoken(page)) ?? [];
  await page.keyboard.press('Enter');
  await waitForText(page, '#map-selection', 'Nearest texts');
  for (const text of await page.locator('#map-selection .selection-text').allInnerTexts()) {
    expect(text).toContain(`The ${near} of`);
  }
  await legend.nth(1).click();
  await page.keyboard.press('Escape');

  // Zoomed in there are fewer points, and the page still answers.
  for (let i = 0; i < 6; i++) await page.locator('#search .map-zoom-in').click();
  expect(await pixels(page, empty)).not.toBe(all);
  await page.locator('#search .map-fit').click();

  await page.locator('#search input[value=umap]').check({ force: true });
  await waitForText(page, '#search .map-below .count >> nth=0', /^UMAP: \d+%/);
  await page.locator('#search .map-below').getByRole('button', { name: 'Cancel' }).click();
  await waitForText(page, '#search .map-note', 'most variance');
  expect(await page.locator('#search input[value=pca]').isChecked()).toBe(true);
  await expectAccessible(page, '#search');
});

it('shows the words of clusters, in any language', async () => {
  const page = await open({ path: '#embeddings' });
  const topics = [
    ['Корабль вышел в море', 'Капитан ведёт корабль', 'Корабль в порту'],
    ['Хлеб пекут в печи', 'Свежий хлеб на столе', 'Хлеб из муки'],
  ];
  const texts = Array.from({ length: 32 }, (_, i) => `${topics[i % 2][Math.floor(i / 2) % 3]} ${i}`);
  await page.fill('#texts', texts.join('\n'));
  await page.click('#compare');
  await page.locator('#map .map-surface[aria-label^="Map of 32 texts"]').waitFor();
  const svg = (await exported(page, '#embeddings', 'Map as SVG')).bytes.toString();
  expect(svg.match(/<circle/g)).toHaveLength(32);
  await expect
    .poll(async () => (await exported(page, '#embeddings', 'Map as SVG')).bytes.toString())
    .toMatch(/<text [^>]*>\p{Script=Cyrillic}{3,}(, \p{Script=Cyrillic}{3,})*<\/text>/u);
});
