import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { exported, longTasks, textOf, useDemo, waitForText, watchLongTasks } from './demo-page';
import { makePdf } from './pdf';
import { expectAccessible, takePictures } from './pictures';

const open = useDemo();

/** Ten paragraphs about different things of one town. */
const TOWN = [
  'The town of Aldermoor lies where the river Wend meets the sea. Its harbour freezes in most winters, and ships then wait outside until the ice breaks in March.',
  'The first bridge over the Wend was built of oak in 1412. A flood carried it away eighty years later, and the stone bridge that replaced it still stands.',
  'Most families once lived from herring. When the shoals moved north, the fishermen sold their boats and went to work in the glass factory on the hill.',
  'The glass factory melted sand from the beach at fourteen hundred degrees. Its blue bottles were sold as far away as Lisbon, and collectors still look for them.',
  'In the library a retired teacher, Marta Hollis, keeps the diaries of her grandfather, who was the doctor here during the cholera epidemic of 1866.',
  'Cats are everywhere. The bakers feed them because they catch the mice that would otherwise eat the flour stored in the cellars.',
  'The school orchestra practises on Thursdays. Last year its violins won a prize in the capital, and the drummer was invited to study at the conservatory.',
  'A railway was planned three times. Each time the money ran out before the tunnel through the chalk hills was finished, so travellers still arrive by bus.',
  'In autumn the farmers press apples into a dry cider. It rests in barrels until spring, when the whole town tastes it at a fair on the market square.',
  "The lighthouse has been empty since its lamp became automatic. A painter rents the keeper's rooms, and her pictures of storms hang in the town hall.",
];

const best = (page: Page) => page.locator('.long-best li button').allInnerTexts();
const numbers = async (page: Page) => (await best(page)).map((title) => Number(/^§(\d+)/.exec(title)?.[1]));
const strip = (page: Page) => page.getByRole('slider', { name: 'Passages' });
const chosen = (page: Page) => textOf(page, '.long-passage.chosen .number');

async function ask(page: Page, question: string) {
  await page.fill('#long-question', question);
  await page.waitForFunction(
    (asked) => document.querySelector('#long-result')?.getAttribute('data-asked') === asked,
    question,
  );
}

async function readText(page: Page, text: string) {
  await page.fill('#long-text', text);
  await page.click('#long-read');
  await page.waitForSelector('#long-result:visible');
}

/** By its path: Playwright puts a file's content into the page in one long task. */
async function giveLargeFile(page: Page, name: string, content: string) {
  const folder = await mkdtemp(join(tmpdir(), 'long-'));
  await writeFile(join(folder, name), content);
  await page.setInputFiles('#long-drop input', join(folder, name));
}

const giveFile = (page: Page, name: string, content: string | Buffer) =>
  page.setInputFiles('#long-drop input', { name, mimeType: '', buffer: Buffer.from(content) });

it('shows where a question is answered, by keys too; keeps text and question; gives tables, a picture and code', async () => {
  const page = await open({ path: '#long' });
  await readText(page, TOWN.join('\n\n'));
  expect(await textOf(page, '#long-status')).toMatch(/^[\d.]+ m?s · 3\d\d tokens · [\d,]+ tokens\/s · .* · 1 pass$/);
  expect(await textOf(page, '#long-answer')).toBe('Most typical of the text:');
  expect(await page.locator('.long-passage').count()).toBe(10);
  for (const [question, passage] of [
    ['Why is there no train to the town?', 8],
    ['Which animals hunt mice?', 6],
    ['Who lives in the lighthouse?', 10],
  ] as const) {
    await ask(page, question);
    expect((await numbers(page))[0]).toBe(passage);
    expect(await chosen(page)).toBe(`§${passage}`);
    expect(await strip(page).getAttribute('aria-valuetext')).toMatch(new RegExp(`^§${passage} · 0\\.\\d\\d \\w+: `));
  }
  expect(await textOf(page, '.long-passage.chosen mark')).toMatch(/^(The lighthouse|A painter)/);
  // The best passage has the strongest colour, and at least half have none.
  const shares = await page
    .locator('.strip-cell')
    .evaluateAll((cells) => cells.map((cell) => Number((cell as HTMLElement).style.getPropertyValue('--share'))));
  expect(shares.indexOf(Math.max(...shares))).toBe(9);
  expect(shares.filter((share) => share === 0).length).toBe(5);
  // Question, best passages and the whole strip are in view at once.
  const boxes = await Promise.all(['#long-question', '.strip'].map((part) => page.locator(part).boundingBox()));
  expect(boxes[0]!.y).toBeGreaterThan(0);
  expect(boxes[1]!.y + boxes[1]!.height).toBeLessThan(900);
  const scale = await page.locator('#long .legend .scale').boundingBox();
  expect(Math.min(scale!.width, scale!.height)).toBeGreaterThan(8); // its colours are seen
  await takePictures(page, 'long-answer', '#long');
  await page.setViewportSize({ width: 320, height: 700 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  await expect.poll(() => strip(page).getAttribute('aria-orientation')).toBe('horizontal');
  await page.setViewportSize({ width: 1280, height: 900 });
  await expect.poll(() => strip(page).getAttribute('aria-orientation')).toBe('vertical');

  const ranks = await numbers(page);
  await strip(page).focus();
  await page.keyboard.press('Home');
  expect(await strip(page).getAttribute('aria-valuenow')).toBe('1');
  await page.keyboard.press('ArrowDown');
  expect(await strip(page).getAttribute('aria-valuetext')).toMatch(/^§2 · .*: The first bridge over the Wend/);
  expect(await chosen(page)).toBe('§10'); // the text goes there with Enter
  await page.keyboard.press('Enter');
  expect(await chosen(page)).toBe('§2');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  expect(await chosen(page)).toBe('§10');
  await page.keyboard.press('n');
  expect(await chosen(page)).toBe(`§${ranks[1]}`);
  await page.click('#long-next');
  expect(await chosen(page)).toBe(`§${ranks[2]}`);
  await page.locator('.long-best li button').first().click();
  expect(await chosen(page)).toBe('§10');
  // A click in the middle of the first cell.
  await strip(page).click({ position: { x: 10, y: 10 } });
  expect(await chosen(page)).toBe('§1');
  const [pane, passage] = await Promise.all(
    ['.long-read', '.long-passage.chosen'].map((part) => page.locator(part).boundingBox()),
  );
  expect(passage!.y).toBeGreaterThanOrEqual(pane!.y);
  expect(passage!.y).toBeLessThan(pane!.y + pane!.height / 2);

  const csv = await exported(page, '#long', 'Passages as CSV');
  const lines = csv.bytes.toString().trim().split('\r\n');
  expect([csv.name, lines[0], lines.length]).toEqual([
    'passages.csv',
    'passage,start,end,place,tokens,cosine,relevance,text',
    11,
  ]);
  expect(lines[1]).toMatch(/^1,0,\d+,,\d+,0\.\d+,\w+,"?The town of Aldermoor/);
  const json = JSON.parse((await exported(page, '#long', 'Passages as JSON')).bytes.toString());
  expect([json.question, json.passages.length]).toEqual(['Who lives in the lighthouse?', 10]);
  expect((await exported(page, '#long', 'Strip as SVG')).bytes.toString().match(/fill-opacity/g)?.length).toBe(10);
  expect((await exported(page, '#long', 'Strip as PNG')).bytes.subarray(1, 4).toString()).toBe('PNG');
  await page.getByRole('button', { name: 'Code', exact: true }).click();
  await waitForText(page, '#long .snippet', `chunks: passages`);
  expect(await textOf(page, '#long .snippet')).toContain('"Who lives in the lighthouse?"');

  expect(page.url()).toMatch(/#long$/);
  await page.waitForTimeout(400); // until it is kept
  await page.reload();
  await page.waitForSelector('#long-result:visible');
  expect(await page.inputValue('#long-question')).toBe('Who lives in the lighthouse?');
  await expect.poll(async () => (await numbers(page))[0]).toBe(10);
  expect(await page.inputValue('#long-text')).toBe(TOWN.join('\n\n'));
});

it('exports what is shown, and says when something was written while the model read', async () => {
  const page = await open({ path: '#long?tokens=12345&question=Which+animals+hunt+mice%3F' });
  await readText(page, TOWN.join('\n\n'));
  await waitForText(page, '#long-answer', /^Best:$/);
  expect(await numbers(page)).toHaveLength(3);
  expect(await page.inputValue('#long-size')).toBe('all');
  await page.fill('#long-question', 'not asked yet');
  const json = JSON.parse((await exported(page, '#long', 'Passages as JSON')).bytes.toString());
  expect([json.question, json.passages[5].relevance]).not.toContain('unlikely');
  expect(json.passages).toHaveLength(10); // all of them

  await page.click('#long-source summary');
  await page.fill('#long-text', TOWN.toReversed().join('\n\n'));
  await page.click('#long-read');
  await page.fill('#long-text', 'Quite another text.');
  await waitForText(page, '#long-read', 'Read');
  await waitForText(page, '#long .stale-note', 'Out of date');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('long-text');
});

it('says what is wrong with a text or a question, and takes odd ones', async () => {
  const page = await open({ path: '#long' });
  await page.click('#long-read');
  await waitForText(page, '#long-error', 'There is no text yet: write or paste one, drop a file, or try the chapter.');
  await giveFile(page, 'scan.pdf', makePdf([]));
  await waitForText(page, '#long-file-error', 'scan.pdf has no text in it. Its pages may be pictures of a scan');
  await giveFile(page, 'photo.png', 'x');
  await waitForText(page, '#long-file-error', 'photo.png is of a type that cannot be read.');
  await takePictures(page, 'long-empty', '#long');

  await readText(page, 'One sentence is a text as well.');
  expect(await page.locator('.long-passage').count()).toBe(1);
  await ask(page, 'what is a text?');
  expect(await numbers(page)).toEqual([1]);
  await page.keyboard.press('Enter'); // the next best is the same
  expect(await chosen(page)).toBe('§1');

  await page.fill('#long-question', 'word '.repeat(9000));
  await waitForText(
    page,
    '#question-error',
    /^The question has 9,00\d tokens; this model reads up to 8,192 at once\. Shorten it\.$/,
  );
  await page.fill('#long-question', '');
  await waitForText(page, '#long-answer', 'Most typical of the text:');
  expect(await page.locator('#question-error').isVisible()).toBe(false);

  await page.locator('#long-source summary').click();
  await page.fill('#long-text', 'كتب الولد رسالة طويلة إلى صديقه. ثم ذهب إلى السوق.');
  await waitForText(page, '#long .stale-note', 'Press Read for new results.');
  await page.click('#long-read');
  await waitForText(page, '.long-passage .text', 'كتب الولد');
  expect(await page.locator('.long-passage .text').evaluate((line) => getComputedStyle(line).direction)).toBe('rtl');

  await giveFile(page, 'paper.pdf', makePdf(['Ships sail on the sea.'], { next: ['Bread is baked in an oven.'] }));
  await waitForText(page, '#long-name', 'paper.pdf');
  await waitForText(page, '.long-passage-head >> nth=0', 'page 1');
});

it('a text of 2 MB: the page stays awake, says how long it would take, and reads as much as is chosen', async () => {
  const page = await open({ path: '#long' });
  const long = TOWN.join('\n\n').concat('\n\n').repeat(1400);
  await watchLongTasks(page);
  await giveLargeFile(page, 'book.txt', long);
  await waitForText(
    page,
    '#long-status',
    /^65,\d{3} tokens: about \d+ (min|h) on this device\. Press Read, or choose fewer\.$/,
  );
  expect(await longTasks(page, 200)).toEqual([]);
  expect(await textOf(page, '#long-held')).toMatch(/^book\.txt, 2,\d{3},\d{3} characters/);
  await page.reload(); // it is kept
  await waitForText(page, '#long-held', /^book\.txt, 2,\d{3},\d{3} characters/);
  await waitForText(page, '#long-status', /Press Read, or choose fewer\.$/);
  const sizes = await page.locator('#long-size option').allInnerTexts();
  expect(sizes[0]).toMatch(/^all 65,\d{3} tokens, about /);
  expect(sizes[1]).toMatch(/^the first 512, about \d+ s$/);
  await page.selectOption('#long-size', '512');
  await page.click('#long-read');
  await page.waitForSelector('#long-result:visible');
  expect(await textOf(page, '#long-note')).toMatch(
    /^Only the first \d{3} of 65,\d{3} tokens were read\. .* The text has 2,\d{3},\d{3} characters/,
  );
  await page.click('#long-source summary');
  await page.getByRole('button', { name: 'Remove' }).click();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('long-text');
});

it('reads the chapter, or its beginning where all of it takes long; stops; another model reads it in parts', async () => {
  const page = await open({ path: '#long' });
  await page.click('#long-sample');
  await waitForText(page, '#long .progress', /^Reading: [\d,]+ of [\d,]+ tokens/);
  await expectAccessible(page, '#long');
  await page.click('#long-read');
  await waitForText(page, '#long-status', 'Stopped.');
  expect(await page.locator('#long-result').isVisible()).toBe(false);
  await page.selectOption('#long-size', '512');
  await page.click('#long-read');
  await page.waitForSelector('#long-result:visible');
  expect(await textOf(page, '#long-note')).toMatch(
    /^Only the first \d{3} of 8,\d{3} tokens were read\.( All of them would take about \d+ (s|min) on this device\.)? Under “Text” you can choose more\.$/,
  );
  expect(await textOf(page, '#long-name')).toBe('Moby-Dick, Chapter 3: The Spouter-Inn');
  // Its questions are those whose place was read, and one is asked already.
  const offered = page.locator('#long-examples .example');
  expect(await offered.allInnerTexts()).toEqual(['a painting that is hard to make out', 'a gigantic fish']);
  expect(await page.inputValue('#long-question')).toBe('a gigantic fish');
  await waitForText(page, '#long-answer', 'Best:');
  expect(await textOf(page, '.long-passage.chosen .text')).toContain('a faint resemblance to a gigantic fish');
  expect(await offered.nth(1).getAttribute('aria-pressed')).toBe('true');
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.locator('.long-best').evaluate((best) => best.getBoundingClientRect().bottom)).toBeLessThan(844);
  await takePictures(page, 'long-sample', '#long');
  await offered.first().click();
  await page.waitForSelector('#long-result[data-asked^="a painting"]');
  expect(await textOf(page, '.long-passage.chosen .text')).toMatch(/oilpainting|picture/);
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('a painting that is hard to make out');
  // What the user asks is not replaced, and hides them.
  await page.fill('#long-question', 'who owns the inn?');
  await page.waitForSelector('#long-result[data-asked="who owns the inn?"]');
  expect(await offered.first().isVisible()).toBe(false);
  expect(page.url()).toMatch(/#long\?sample=yes&tokens=512$/);

  await page.click('#long .change');
  await page.locator('#long .card', { hasText: 'all-MiniLM-L6-v2' }).getByRole('button').click();
  await waitForText(
    page,
    '#long-note',
    /all-MiniLM-L6-v2 reads up to 256 tokens at once: the text was read in \d parts that overlap\.$/,
  );
  expect(await textOf(page, '#long-status')).toMatch(/ · [34] passes$/);
  await waitForText(page, '.long-best', /§\d+ · 0\.\d\d/);

  // Another text has other sizes; what the user chose stays chosen.
  await page.locator('#long-source summary').click();
  const sizes = () => page.locator('#long-size option').allInnerTexts();
  expect((await sizes())[0]).toMatch(/^all \d,\d{3} tokens/);
  await page.fill('#long-text', 'May I have a dog? One cat is allowed, dogs are not.');
  expect(await sizes()).toEqual(['all of it', 'the first 512']);
  expect(await page.inputValue('#long-size')).toBe('512');
});

it('reads a word that is longer than what is tokenized at a time', async () => {
  const page = await open({ path: '#long' });
  await readText(page, `${'x'.repeat(12_000)} end.`);
  expect(await textOf(page, '#long-status')).toMatch(/tokens/);
  expect(await page.locator('.long-passage').first().textContent()).toContain('xxx');
});
