import type { Browser, Page } from 'playwright-core';

/** A page in a browser, and what the browser complained of or asked for. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Opens a page as a reader would who has no network. */
export async function openOffline(
  browser: Browser,
  url: string,
  colorScheme: 'light' | 'dark',
): Promise<OpenPage> {
  const context = await browser.newContext({
    colorScheme,
    offline: true,
    viewport: { width: 1280, height: 900 },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(url);
  return { page, complaints, asked, close: () => context.close() };
}
