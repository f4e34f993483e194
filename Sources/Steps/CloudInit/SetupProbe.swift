import Model

/// What our part of the user-data does in a guest: it waits until cloud-init is done, says so at a port of the machine
/// and switches it off. It is a boot hook, as these run whatever lists of modules and vendor-data say, and in user-data,
/// which every data source has.
///
/// The machine is known by the name of the port or by its SMBIOS family: in any other one the hook does nothing. Scripts
/// lie in /run and below /var/lib/cloud, where the reset of an image removes them.
struct SetupProbe: Hashable, Sendable {
    /// Of the virtio-serial port in the guest. Without it the second ISA port is written to.
    static let port = "image-factory.probe"
    /// Made up for a run: what has it was not said by somebody else.
    let token: String
    /// The SMBIOS family of the machine.
    let machine: String
    /// Commands of a shell that run before the end, for what the host cannot do to the guest's disk.
    var lastCommands: String

    init(lastCommands: String = "") {
        token = Self.random()
        machine = "image-factory-" + Self.random().prefix(12)
        self.lastCommands = lastCommands
    }

    /// The whole line by which a guest says that it is done and goes off.
    var finishedLine: String { "{\"token\":\"\(token)\",\"event\":\"finished\"}" }

    private static func random() -> String {
        String(decoding: (0..<32).map { _ in Array("0123456789abcdef".utf8)[Int.random(in: 0...15)] }, as: UTF8.self)
    }

    /// User-data with the hook behind it, as a message of parts: so it can be of any kind.
    func userData(_ bytes: [UInt8]) -> [UInt8] {
        let boundary = "image-factory-" + token.prefix(16)
        var message = Array("Content-Type: multipart/mixed; boundary=\"\(boundary)\"\nMIME-Version: 1.0\n\n".utf8)
        func add(_ headers: [String], _ content: [UInt8]) {
            message += Array("--\(boundary)\n".utf8)
            for header in headers { message += Array((header + "\n").utf8) }
            message += content
        }
        let encoding = "Content-Transfer-Encoding: base64\n"
        switch UserDataKind(bytes) {
        case .empty: break
        // The headers of a message are those of a part; a line of a mailbox before them is none.
        case .mime: add([], bytes.starts(with: "From ".utf8) ? Array(bytes.drop { $0 != 0x0a }.dropFirst()) : bytes)
        case .compressed: add(["Content-Type: application/gzip", encoding], Base64.lines(bytes))
        // cloud-init finds out itself what it is.
        case .cloudConfig, .script, .other, .unknown:
            add(["Content-Type: text/plain; charset=\"utf-8\"", encoding], Base64.lines(bytes))
        }
        if message.last != 0x0a { message.append(0x0a) }
        let disposition = "Content-Disposition: attachment; filename=\"image-factory-probe\""
        add(
            ["Content-Type: text/cloud-boothook; charset=\"utf-8\"", disposition, encoding],
            Base64.lines(Array(script.utf8)))
        return message + Array("--\(boundary)--\n".utf8)
    }

    /// The hook. Its lines say things as JSON: `started`, `report`, `finished`.
    var script: String {
        """
        #cloud-boothook
        #!/bin/sh
        # Tells image-factory, at a port of the machine that it made for this, when cloud-init is done; then the machine
        # goes off. In any other machine it does nothing.
        token=\(token)
        machine=\(machine)
        root=$IMAGE_FACTORY_ROOT
        work=$root/run/image-factory-probe
        result=$root/run/cloud-init/result.json

        # A port of that name is nobody else's; a serial port is everybody's.
        find_port() {
            for try in 1 2 3; do
                port=$root/dev/virtio-ports/\(Self.port)
                if [ -e "$port" ]; then return; fi
                if [ "$(cat "$root/sys/class/dmi/id/product_family" 2> /dev/null)" != "$machine" ]; then exit 0; fi
                sleep 1
            done
            port=$root/dev/ttyS1
        }

        say() { printf '{"token":"%s","event":"%s"%s}\\n' "$token" "$1" "$2" >> "$port"; }

        # The text of a JSON object in one line; null for what is none.
        object() {
            text=$(printf '%s' "$1" | tr '\\r\\n\\t' '   ' | sed 's/^[. ]*//; s/ *$//')
            case $text in '{'*'}') printf '%s' "$text" ;; *) printf null ;; esac
        }

        report() {
            status=$(cloud-init status --format json 2> /dev/null)
            code=$?
            status=$(object "$status")
            if [ "$status" = null ]; then
                cloud-init status > /dev/null 2>&1
                code=$?
            fi
            say report ",\\"exit\\":$code,\\"status\\":$status,\\"result\\":$(object "$(cat "$result" 2> /dev/null)")"
        }

        last_commands() {
            :
        \(lastCommands)
        }

        end() {
            report
            last_commands
            sync
            say finished
        }

        # Somebody else switches the machine off: that is no matter once cloud-init is done.
        leave() {
            trap '' TERM
            if [ -s "$result" ]; then end; fi
            exit 0
        }

        pause() {
            sleep 1 &
            wait $!
        }

        wait_for_end() {
            while [ ! -s "$result" ]; do
                if systemctl is-failed --quiet cloud-final.service 2> /dev/null; then return; fi
                pause
            done
            # The last stage may not quite be over.
            for try in 1 2 3 4 5 6 7 8 9 10; do
                case $(systemctl is-active cloud-final.service 2> /dev/null) in
                    activating) pause ;;
                    *) return ;;
                esac
            done
        }

        if [ "$1" != wait ]; then
            find_port
            mkdir -p "$work"
            cp "$0" "$work/probe"
            say started
            if [ -d "$root/run/systemd/system" ]; then
                exec systemd-run --quiet --no-block --unit=image-factory-probe --property=TimeoutStopSec=15min \\
                    /bin/sh "$work/probe" wait
            fi
            setsid /bin/sh "$work/probe" wait < /dev/null > /dev/null 2>&1 &
            exit 0
        fi

        find_port
        trap leave TERM
        wait_for_end
        # What the user-data wants of the end, by power_state, comes first.
        pause
        trap '' TERM
        end
        systemctl poweroff 2> /dev/null || poweroff || halt -p

        """
    }
}

/// Base64 in lines, as in messages (RFC 2045).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let bytesOfLine = 57

    static func lines(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count / 3 * 4 + bytes.count / bytesOfLine + 8)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            if start > 0, start % bytesOfLine == 0 { text.append(0x0a) }
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return text + [0x0a]
    }
}
