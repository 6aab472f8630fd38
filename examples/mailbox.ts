// A replicated mailbox on three nodes: every one of them reads and changes all of it, whether or not it can reach the others.
//
//   node examples/mailbox.ts [FOLDER]
//
// All three stand in this process, each with a store of its own below the folder (a temporary one if none is named); on three
// machines only the addresses would be others.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, createReplica, feeds, groups, mailbox, openStore } from 'plait'
import type { Dot, Group, Groups } from 'plait'

const schema = { mail: mailbox() }
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const bytes = (body: string): Uint8Array => new TextEncoder().encode(body)

/** A mailbox on a node of its own. */
async function openMailbox(folder: string, enter: (groups: Groups) => Promise<Group>) {
  const closing = new AsyncDisposableStack()
  const store = closing.use(await openStore(folder))
  const node = closing.use(await createNode({ listen: ['tcp://127.0.0.1:0'], keyFile: join(folder, 'node.key') }))
  const all = closing.use(groups(closing.use(await feeds(node, store))))
  const group = await enter(all)
  const replica = await createReplica(group, schema)
  await replica.settled()
  return { group, replica, mail: replica.mail, close: () => closing.disposeAsync() }
}

type Open = Awaited<ReturnType<typeof openMailbox>>

/** The collections of a mailbox, each with its items: what is in it, and its flags. */
function contents({ mail }: Open): Record<string, string[]> {
  const { view } = mail
  return Object.fromEntries(
    [...view.collections()].map(([name, id]) => [
      name,
      view.items(id).map(({ content, flags }) => `${text(content)}${flags.map((flag) => ` [${flag}]`).join('')}`),
    ]),
  )
}

/** Resolves when these mailboxes hold the same, and what they hold is as it should be. */
async function equal(mailboxes: readonly Open[], isThere: (one: Open) => boolean): Promise<void> {
  const look = (): boolean => new Set(mailboxes.map(({ replica }) => replica.hash().join())).size === 1
  while (!(mailboxes.every(isThere) && look())) await new Promise((resolve) => setTimeout(resolve, 20))
}

function collection({ mail }: Open, name: string): Dot {
  const id = mail.view.collections().get(name)
  if (id === undefined) throw new Error(`there is no ${name} here yet`)
  return id
}

const has = (name: string, items: number) => (one: Open) => contents(one)[name]?.length === items

const base = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'plait-mailbox-'))
const folders = ['desk', 'laptop', 'phone'].map((name) => join(base, name)) as [string, string, string]

// The desk makes the group, the others join it by a link.
const desk = await openMailbox(folders[0], (all) => all.create({ name: 'mail' }))
const link = await desk.group.invite()
const laptop = await openMailbox(folders[1], (all) => all.join(link))
let phone = await openMailbox(folders[2], (all) => all.join(link))

// A collection is named by the operation that made it: two of the same name never become one. A content names a body, such as by its
// hash; these bodies are so short that they stand there themselves.
const inbox = await desk.mail.create('Inbox')
await desk.mail.append(inbox, bytes('Harbour at nine?'))
await desk.mail.append(inbox, bytes('Invoice 12'), ['important'])
await equal([desk, laptop, phone], has('Inbox', 2))
console.log('at all three:', contents(phone))

// The phone is switched off and on again: its mail is there before any other node is.
await phone.close()
phone = await openMailbox(folders[2], (all) => all.open(desk.group.id))
const [harbour] = phone.mail.view.items(collection(phone, 'Inbox'))
if (harbour === undefined) throw new Error('the phone has forgotten its mail')
// All of this is carried out at once where it is done, and is durable there, whether or not the others know of it.
await Promise.all([
  phone.mail.store(inbox, harbour.id, { set: ['seen'] }),
  desk.mail.rename(inbox, 'Mail'),
  laptop.mail.store(inbox, harbour.id, { set: ['answered'] }),
  laptop.mail.create('Archive').then((archive) => laptop.mail.copy(inbox, harbour.id, archive)),
])

// Sooner or later each of them has heard of all of it, in an order in which nothing comes before what it follows.
const seen = (one: Open): boolean => contents(one)['Mail']?.[0] === 'Harbour at nine? [answered] [seen]'
await equal([desk, laptop, phone], (one) => seen(one) && contents(one)['Archive']?.length === 1)
console.log('and after all that:', contents(laptop))

// The founder is no more than the others: without it they go on.
await desk.close()
await phone.mail.append(inbox, bytes('Nine it is'))
await equal([laptop, phone], has('Mail', 3))
console.log('without the desk:', contents(laptop)['Mail'])

for (const one of [laptop, phone]) await one.close()
if (process.argv[2] === undefined) rmSync(base, { recursive: true })
