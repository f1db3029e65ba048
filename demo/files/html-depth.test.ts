import { expect, it } from 'vitest';
import { checkDepth } from './html-depth';

const check = (source: string) => () => checkDepth('a.html', source);

it('refuses elements that are too deep in each other', () => {
  const message = 'a.html has more than 2,000 elements of HTML in each other';
  for (const deep of ['<div>', '<ul><li>', '<DIV class="a b">', '<x-card>', '<script>"<div>"</script><div>']) {
    expect(check(deep.repeat(2000))).not.toThrow();
    expect(check(deep.repeat(2001))).toThrow(message);
  }
});

it('counts no others', () => {
  for (const fine of [
    '<p>',
    '<br>',
    '<li>',
    '<b>',
    '<font size=2>',
    '<div></div>',
    '</div>',
    '<path d="M0 0"/>',
    'a < b',
  ]) {
    expect(check(fine.repeat(5000))).not.toThrow();
  }
  expect(check(`<script>${'if (a<div && b>c) "<div>";'.repeat(5000)}</script>`)).not.toThrow();
  expect(check(`<style>${'<div>'.repeat(5000)}`)).not.toThrow();
});
