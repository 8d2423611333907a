import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReceiveWindow } from '../../../src/plugin/http2/receiveWindow.ts';

describe('a receive window', () => {
  it('refuses the first byte beyond it', () => {
    const window = new ReceiveWindow(1000);
    expect(window.take(1000)).toBe(true);
    expect(window.take(1)).toBe(false);
  });

  it('tells of a grant once half of it is used', () => {
    const window = new ReceiveWindow(1000);
    window.take(400);
    window.grant(400);
    expect(window.due).toBe(false);
    window.take(100);
    expect(window.due).toBe(true);
    expect(window.takeIncrement()).toBe(400);
    expect(window.due).toBe(false);
  });

  it('never overflows what a window can be, and loses nothing of a larger grant', () => {
    const window = new ReceiveWindow(1000);
    window.take(1000);
    window.grant(2 ** 33);
    const first = window.takeIncrement();
    expect(first).toBe(2 ** 31 - 1);
    expect(window.take(first)).toBe(true);
    expect(window.due).toBe(true);
    expect(window.takeIncrement()).toBe(2 ** 31 - 1);
  });

  it('lets the host send exactly what was announced, and never stalls one that is credited', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(700), fc.nat(700)), { maxLength: 60 }), (steps) => {
        const window = new ReceiveWindow(1000);
        let available = 1000;
        let granted = 0;
        for (const [sent, credit] of steps) {
          const bytes = Math.min(sent, available);
          expect(window.take(bytes)).toBe(true);
          available -= bytes;
          window.grant(credit);
          granted += credit;
          if (!window.due) {
            expect(granted === 0 || available > 500).toBe(true);
            continue;
          }
          const increment = window.takeIncrement();
          expect(increment).toBe(granted);
          available += increment;
          granted = 0;
        }
      }),
    );
  });
});
