/** Each example, and what it prints. */
export const EXPECTED: { readonly [example: string]: readonly string[] } = {
  "01-langchain.ts": [
    "alice agent read_file permit ok",
    "alice agent read_file permit ok",
    "alice agent send_mail permit ok",
    "alice agent send_mail deny argument_not_granted",
  ],
  "02-ai-sdk.ts": [
    "Done.",
    "alice agent read_file permit ok",
    "alice agent read_file permit ok",
    "alice agent send_mail permit ok",
    "alice agent send_mail deny argument_not_granted",
  ],
  "03-subagents.ts": [
    "alice notes_reader read_file permit ok",
    "alice notes_reader read_file permit ok",
    "alice notes_reader send_mail permit ok",
    "alice notes_reader send_mail deny argument_not_granted",
    "alice orchestrator disk_reader deny wider_than_parent",
  ],
  "04-resume.ts": ["the machine went down", "asked 2 times, 1 mail sent"],
  "05-spans.ts": [
    "execute_tool read_file permit signed",
    "execute_tool read_file permit signed",
    "execute_tool send_mail permit signed",
    "execute_tool send_mail deny signed",
    "invoke_agent agent",
  ],
  "06-approval.ts": [
    "send_mail waits",
    "read_file permit ok",
    "read_file permit ok",
    "send_mail ask approval_needed",
    "send_mail permit ok",
    "send_mail deny argument_not_granted",
  ],
  "07-evidence.ts": [
    "verified (consistent, not proven complete)",
    "alice assistant read_file permit ok authority proven",
    "alice assistant read_file permit ok authority proven",
    "alice assistant send_mail permit ok authority proven",
    "alice assistant send_mail deny argument_not_granted authority proven",
    "not verified content_altered",
  ],
};
