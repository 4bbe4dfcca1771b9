import { NOTHING_MORE, type PathRule } from '../rule.ts'

const PATHS =
  /^(?:etc\/ld\.so\.cache|etc\/ssl\/certs\/|etc\/ca-certificates\.conf|etc\/(?:passwd|group|gshadow|shadow)-?$|var\/lib\/systemd\/catalog\/database|usr\/lib\/(?:systemd\/catalog|udev\/hwdb\.bin|locale\/locale-archive|modules\/[^/]+\/modules\.|[^/]+\/(?:gconv\/gconv-modules\.cache|gio\/modules\/giomodule\.cache))|etc\/udev\/hwdb\.bin|usr\/share\/(?:info\/dir|applications\/mimeinfo\.cache|mime\/|glib-2\.0\/schemas\/gschemas\.compiled|icons\/.*\/icon-theme\.cache)|var\/cache\/(?:fontconfig|man|debconf)\/|boot\/initrd)/

export const derivedCache = {
  id: 'derived-cache',
  severity: 'info',
  samples: 'path',
  text: 'A cache that is made from the files of all packages follows from the packages that differ.',
  remedy: 'Nothing of its own: see package-drift.',
  explain: ({ path, anyDrift }) => (anyDrift && PATHS.test(path) ? NOTHING_MORE : null),
} satisfies PathRule
