import fc from 'fast-check';
import { escapeForDisplay, escapeLinesForDisplay } from '../../plan/display';

describe('text from elsewhere, as it is shown', () => {
  it.each([
    ['plain – é 漢字 👍', 'plain – é 漢字 👍'],
    ['⚠️', '⚠️'],
    ['a\nb\tc\r', 'a\\nb\\tc\\r'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['\u009b31m', '\\x9b31m'],
    ['a\u202eb\u2066c\u200fd', 'a\\u202eb\\u2066c\\u200fd'],
    ['a\u200bb\u200dc\ufeffd\u00ade', 'a\\u200bb\\u200dc\\ufeffd\\xade'],
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['\u{e0041}\u{e0100}', '\\u{e0041}\\u{e0100}'],
    ['\ud800', '\\ud800'],
  ])('%j', (text, shown) => expect(escapeForDisplay(text)).toBe(shown));

  it('is one line without anything hidden, and shown again is the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = escapeForDisplay(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(escapeForDisplay(shown)).toBe(shown);
      }),
    );
  });

  it('keeps lines and tabs, and nothing else, where it has several lines', () => {
    expect(escapeLinesForDisplay('a\n\tb\r\u202e')).toBe('a\n\tb\\r\\u202e');
  });
});
