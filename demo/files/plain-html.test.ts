import { expect, it } from 'vitest';
import { plainHtml } from './plain-html';

const plain = (source: string) => plainHtml('a.html', source);
const plainXhtml = (source: string) => plainHtml('a.epub', source, true);
const NOTHING = '<!---->';

it('leaves out attributes, also with signs of tags in them', () => {
  expect(plain('<P style="color:red" onclick=go()>it\'s<br/>a < b</p >')).toBe("<P>it's<br/>a < b</p>");
  expect(plain(`<img alt="a > b" title='<b>'><p title=it's>c</p>'`)).toBe("<img><p>c</p>'");
  expect(plain('<p>a<p title="b>c')).toBe('<p>a<p>');
});

it('leaves out scripts, styles, comments and looks', () => {
  expect(plain('a<script>"<p>"</scripts></script >b<STYLE>p{}</style>c')).toBe(`a${NOTHING}b${NOTHING}c`);
  expect(plain('a<!-- <p> -->b<!-->c<b>d</b><![CDATA[e]]>')).toBe(
    `a${NOTHING}b${NOTHING}c${NOTHING}d${NOTHING}${NOTHING}`,
  );
  expect(plain('a<style>b')).toBe(`a${NOTHING}`);
  expect(plain('<textarea rows=2><b style="x"></textarea>')).toBe('<textarea><b style="x"></textarea>');
});

it('keeps what makes XHTML well-formed', () => {
  expect(
    plainXhtml('<?xml version="1.0"?><!DOCTYPE html><html xmlns="x" lang="en" xmlns:e=\'y\'><b e:t="1">a</b></html>'),
  ).toBe('<?xml version="1.0"?><!DOCTYPE html><html xmlns="x" xmlns:e=\'y\'><b>a</b></html>');
  expect(plainXhtml('<title/><script src="a"/><p id="a" />b<![CDATA[<p style="">]]>')).toBe(
    `<title/>${NOTHING}<p/>b<![CDATA[<p style="">]]>`,
  );
});

it('refuses elements that are too deep in each other, and counts only those', () => {
  const message = 'a.html has more than 2,000 elements of HTML in each other';
  expect(() => plain('<div>'.repeat(2001))).toThrow(message);
  expect(() => plain('<ul><li>'.repeat(2001))).toThrow(message);
  expect(() => plain('<div/>'.repeat(2001))).toThrow(message);
  for (const fine of ['<p>', '<br>', '<li>', '<b>', '<div></div>', '<div><span></div>', '</div>', '<svg><g/></svg>']) {
    expect(plain(fine.repeat(5000)).length).toBeGreaterThan(0);
  }
  expect(plain(`<svg>${'<path d="M0 0"/>'.repeat(5000)}</svg>`)).toContain('<path/>');
});

it('is quick with long and unfinished markup', () => {
  const began = performance.now();
  for (const odd of [
    '<p ',
    '<p a="',
    '<!--',
    '<script>',
    '<',
    '<p>',
    '</',
    '<![CDATA[',
    '<p title=',
    '<style',
    '<textarea>',
  ]) {
    plain(odd.repeat(100_000));
    plainXhtml(odd.repeat(100_000));
  }
  expect(performance.now() - began).toBeLessThan(5000);
});
