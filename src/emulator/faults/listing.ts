import type { AnswerHead } from '../faults.ts';
import type { FaultHooks, FaultSetting, Moment } from './definition.ts';

/** Tag lists as registries are known to send them. */
export function listing({ values }: FaultSetting): FaultHooks {
  const size = values.number('page') ?? Number.POSITIVE_INFINITY;
  return {
    answer(moment, head) {
      if (head.status !== 200 || !head.body) return undefined;
      const page = JSON.parse(Buffer.from(head.body).toString()) as { name: string; tags: string[] };
      const kept = page.tags.slice(0, size);
      const more = kept.length < page.tags.length || head.headers.link !== undefined;
      const tags = values.text('order') === 'reverse' ? kept.toReversed() : kept;
      if (values.text('more') === 'digests') tags.unshift(`sha256:${'0'.repeat(64)}`);
      const shown = tags.length === 0 && values.text('empty') === 'null' ? null : tags;
      const edited: AnswerHead = {
        status: 200,
        headers: { ...head.headers },
        body: Buffer.from(JSON.stringify({ name: page.name, tags: shown })),
      };
      delete edited.headers.link;
      const last = kept.at(-1);
      const link = more && last !== undefined ? linkTo(moment, last, values.text('link')) : undefined;
      if (link !== undefined) edited.headers.link = link;
      return edited;
    },
  };
}

function linkTo({ exchange }: Moment, last: string, style: string | undefined): string | undefined {
  const query = `?n=${exchange.query.get('n') ?? 100}&last=${encodeURIComponent(last)}`;
  switch (style) {
    case 'missing':
      return undefined;
    // Cloudflare's registry.
    case 'bare':
      return `https://${exchange.headers.host}${exchange.path}${query}; rel=next`;
    case 'absolute':
      return `<https://registry.internal:8443${exchange.path}${query}>; rel="next"`;
    case 'loop':
      return `<${exchange.path}?${exchange.query}>; rel="next"`;
    default:
      return `<${exchange.path}${query}>; rel="next"`;
  }
}
