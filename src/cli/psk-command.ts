import type { Command } from 'commander'
import { createNetworkKeyFile } from '../identity/network-key.ts'
import { jsonLine, printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

export function addPskCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('psk')
    .description(
      'Make the key of a private network: nodes that have it talk to each other, and to nobody else. Copy the file to each machine by a safe way.',
    )
    .argument('<FILE>', 'the file to make; only you can read it')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', '\nExample:\n  plait psk home.key\n  plait share ./photos --psk home.key')
    .action(async (file: string, flags: { readonly json?: boolean }) => {
      await createNetworkKeyFile(file)
      if (flags.json === true) terminal.print(jsonLine({ event: 'created', path: file }))
      else
        terminal.note(
          `${printable(file)} is the key of a new private network: give it to its machines, and to nobody else`,
        )
      done(0)
    })
}
