# The rules of scripts/check-imports, which gives the table of modules in RULES and the files as arguments.

BEGIN {
    count = split(ENVIRON["RULES"], rows, "\n")
    for (row = 1; row <= count; row++) {
        if (split(rows[row], cells, "|") < 3) continue
        module = cells[1]
        gsub(/ /, "", module)
        known[module] = 1
        names = split(cells[2] " " cells[3], words, " ")
        for (word = 1; word <= names; word++) allowed[module, words[word]] = 1
        allowed[module, "FoundationEssentials"] = allowed[module, "Synchronization"] = 1
    }
    for (argument = 1; argument < ARGC; argument++)
        if (split(ARGV[argument], parts, "/") > 3 && parts[2] == "Dialects") dialects[parts[3]] = 1
}

FNR == 1 {
    depth = split(FILENAME, parts, "/")
    module = parts[2]
    dialect = (module == "Dialects" && depth > 3) ? parts[3] : ""
    inText = inComment = 0
    before = ""
    if (!(module in known)) complain("the module " module " has no row in the table of scripts/check-imports")
}

{
    line = $0
    remark = inComment
    code = strip(line)
    remark = remark || hasComment || before ~ /^[ \t]*\/\//
    checkImport(code)
    checkUses(code)
    checkShell(before ~ /"-[a-z]*c"[ \t]*,[ \t]*$/ ? "\"-c\", " line : line)
    checkDialects(code)
    if (code ~ /(^|[^A-Za-z0-9_])(try|as)!/ && !remark)
        complain("try! and as! need a comment on the same or the previous line that says why they cannot fail")
    if (code ~ /@unchecked/ && !remark)
        complain("@unchecked needs a comment on the same or the previous line that says why it is safe")
    before = line
}

END { exit breaches > 0 }

function complain(what) {
    print FILENAME ":" FNR ": error: " what
    breaches++
}

# The line without comments and without what is in string literals; sets hasComment.
function strip(text,    out, character, at, pair) {
    out = ""
    hasComment = 0
    for (at = 1; at <= length(text); at++) {
        character = substr(text, at, 1)
        pair = substr(text, at, 2)
        if (inComment) {
            if (pair == "*/") { inComment = 0; at++ }
        } else if (substr(text, at, 3) == "\"\"\"") {
            inText = !inText
            at += 2
        } else if (inText) {
            if (character == "\\") at++
        } else if (pair == "//") {
            hasComment = 1
            return out
        } else if (pair == "/*") {
            hasComment = inComment = 1
            at++
        } else if (character == "\"") {
            at = endOfString(text, at + 1)
            out = out "\"\""
        } else {
            out = out character
        }
    }
    return out
}

# The place of the quote that ends a string literal whose text begins at `at`.
function endOfString(text, at,    character) {
    for (; at <= length(text); at++) {
        character = substr(text, at, 1)
        if (character == "\\") at++
        else if (character == "\"") return at
    }
    return at
}

function checkImport(code,    words, count, name) {
    sub(/^[ \t]+/, "", code)
    while (sub(/^(@[A-Za-z_]+(\([A-Za-z, ]*\))?|package|public|internal|fileprivate|private)[ \t]+/, "", code)) {}
    if (code !~ /^import[ \t]/) return
    count = split(code, words, /[ \t;]+/)
    name = words[2]
    if (name ~ /^(struct|class|enum|protocol|func|var|let|typealias|actor)$/) name = words[3]
    sub(/\..*/, "", name)
    if (module in known && !((module, name) in allowed)) complain("Module " module " must not import " name)
}

function checkUses(code) {
    if (code ~ /Foundation\.Process([^A-Za-z0-9_]|$)/ || code ~ /(^|[^A-Za-z0-9_.])Process(\(|\.run\()/)
        complain("Foundation.Process must not be used: its children outlive a killed parent; run it through Tooling")
    if (code ~ /(^|[^A-Za-z0-9_])XMLDocument([^A-Za-z0-9_]|$)/)
        complain("XMLDocument must not be used: it resolves external entities; use XMLParser and refuse DOCTYPE")
    if (code ~ /(^|[^A-Za-z0-9_])(contentsOfDirectory|subpathsOfDirectory|subpaths)\(/ || code ~ /FileManager.*enumerator\(/)
        complain("FileManager must not list folders: it mangles names that are not UTF-8; use Folder or fts(3)")
    if (code ~ /(^|[^A-Za-z0-9_.])(popen|system)\(/)
        complain("popen and system must not be used; run programs through Tooling, arguments as an array")
}

# A text handed to a shell by -c is fixed, or is the user's own as a whole: nothing is put together.
function checkShell(line) {
    if (line ~ /"-[a-z]*c"[ \t]*,[^,\]]*(\\\(|" *\+|\+ *")/)
        complain("a shell must not be given text with values in it; pass them as arguments")
}

function checkDialects(code,    other) {
    if (module == "Planning" && code ~ /(^|[^A-Za-z0-9_])[A-Z][A-Za-z0-9]*Dialect([^A-Za-z0-9_]|$)/)
        complain("Planning must not name a dialect")
    if (dialect == "") return
    for (other in dialects)
        if (other != dialect && code ~ ("(^|[^A-Za-z0-9_])" other "[A-Z]"))
            complain("the dialect " dialect " must not name the dialect " other)
}
