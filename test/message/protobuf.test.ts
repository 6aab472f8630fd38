import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DescMessage, Message, MessageShape } from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  TimestampSchema,
} from '@bufbuild/protobuf/wkt'
import type { Timestamp } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import type { Codec } from '../../src/message/codec.ts'
import { json } from '../../src/message/codecs/json.ts'
import { defineMessage } from '../../src/message/define-message.ts'
import { HostilePair, kinds, pairOf, statsOf } from './pair.ts'

// Any codec of the application's is this much work: a number from 128 up, on which both ends agree, and two functions.

/** Messages of a protobuf schema. The library gives views of what it reads, which is lent: hence the copy. */
function protobuf<Schema extends DescMessage>(schema: Schema): Codec<MessageShape<Schema>> {
  return {
    content: 128,
    encode: (message) => toBinary(schema, message),
    decode: (bytes) => fromBinary(schema, bytes.slice()),
  }
}

/** A schema made at run time, as if it were generated: `message Page { string title = 1; bytes body = 2; repeated Page links = 3; }`. */
const file = create(FileDescriptorProtoSchema, {
  name: 'page.proto',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Page',
      field: [
        { name: 'title', number: 1, type: Type.STRING, label: Label.OPTIONAL },
        { name: 'body', number: 2, type: Type.BYTES, label: Label.OPTIONAL },
        { name: 'links', number: 3, type: Type.MESSAGE, typeName: '.Page', label: Label.REPEATED },
      ],
    },
  ],
})
const PageSchema = createFileRegistry(file, () => undefined).getMessage('Page') as DescMessage

interface Page extends Message {
  title: string
  body: Uint8Array
  links: Page[]
}

function page(title: string, body: Uint8Array = new Uint8Array(0), links: readonly Page[] = []): Page {
  return create(PageSchema, { title, body, links }) as Page
}

const pages = protobuf(PageSchema) as unknown as Codec<Page>
const Store = defineMessage({ id: 5_000, name: 'store', request: pages })
const When = defineMessage({ id: 5_001, name: 'when', request: pages, response: protobuf(TimestampSchema) })
const malformed = [
  ['a field that is cut off', Uint8Array.of(0x0a, 200, 1, 65)],
  ['a length of 2^32 - 1', Uint8Array.of(0x12, 0xff, 0xff, 0xff, 0xff, 0x0f)],
  ['a number that never ends', new Uint8Array(20).fill(0x80)],
  ['groups of 100,000 levels', new Uint8Array(100_000).fill(0x1b)],
] as const

test('posts, requests and streams carry protobuf, each direction by its own schema', async () => {
  const { joined, near, far } = pairOf()
  const stored: string[] = []
  far.handle(Store, (message) => {
    stored.push(message.title)
    return message
  })
  far.handle(When, ({ title }) => create(TimestampSchema, { seconds: BigInt(title), nanos: 5 }))
  far.handleStream(Store, async function* ({ links }) {
    yield* links
  })
  near.post(Store, page('posted'))
  const sent = page('asked', Uint8Array.of(1, 2), [page('within')])
  const answer = await joined.settle(near.request(Store, sent))
  expect([answer.title, answer.body, answer.links.map(({ title }) => title)]).toEqual([
    'asked',
    Uint8Array.of(1, 2),
    ['within'],
  ])
  expect(stored).toEqual(['posted', 'asked'])
  const when: Timestamp = await joined.settle(near.request(When, page('9007199254740993')))
  expect([when.seconds, when.nanos]).toEqual([9_007_199_254_740_993n, 5])
  const stream = near.stream(Store, page('', undefined, [page('one'), page('two')]))
  const rows: string[] = []
  for (let row = await joined.settle(stream.read()); row !== undefined; row = await joined.settle(stream.read()))
    rows.push(row.title)
  expect(rows).toEqual(['one', 'two'])
})

test('what it gives is its own, whatever becomes of the bytes', () => {
  const lent = pages.encode(page('title', Uint8Array.of(1, 2, 3)))
  const message = pages.decode(lent)
  lent.fill(0)
  expect([message.title, message.body]).toEqual(['title', Uint8Array.of(1, 2, 3)])
})

test.each(malformed)('%s is a typed error for that message only', async (_what, payload) => {
  const hostile = new HostilePair()
  hostile.messages.handle(Store, (message) => message)
  hostile.say(kinds.post, 0, payload, { op: Store.id, content: 128 })
  hostile.say(kinds.request, 1, payload, { op: Store.id, content: 128 })
  hostile.say(kinds.request, 2, pages.encode(page('next')), { op: Store.id, content: 128 })
  await hostile.run()
  expect([hostile.kindsHeard(1), hostile.kindsHeard(2)]).toEqual([[kinds.reset], [kinds.response]])
  expect([statsOf(hostile.messages).invalid, hostile.joined.far.state, hostile.messages.live]).toEqual([2, 'open', 0])
})

test('an answer that is no protobuf ends its request only', async () => {
  const hostile = new HostilePair()
  const asked = [hostile.messages.request(Store, page('a')), hostile.messages.request(Store, page('b'))] as const
  await hostile.run()
  hostile.say(kinds.response, 1, malformed[0][1], { theirs: true, content: 128 })
  hostile.say(kinds.response, 2, pages.encode(page('well')), { theirs: true, content: 128 })
  await expect(hostile.joined.settle(asked[0])).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
  expect((await hostile.joined.settle(asked[1])).title).toBe('well')
})

test('another codec at the other end is a typed error for that message only', async () => {
  const { joined, near, far } = pairOf()
  far.handle(Store, (message) => message)
  const Other = defineMessage({ id: Store.id, name: 'store', request: json<{ title: string }>() })
  await expect(joined.settle(near.request(Other, { title: 'json' }))).rejects.toMatchObject({
    code: 'UNKNOWN_CODEC',
    facts: { content: 2, expected: 128 },
  })
  expect((await joined.settle(near.request(Store, page('protobuf')))).title).toBe('protobuf')
})
