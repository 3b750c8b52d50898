/* text-stats: counts the words of a text, line by line, and names the ten most frequent.
 *
 * A Cargo for trust level 0: one JSON object on standard input, JSON Lines on standard output, no file, no clock, no second
 * process. All memory is static, because level 0 has no mremap and so no realloc of large blocks.
 *
 *     cc -O2 -static -o text-stats text-stats.c
 *     echo '{"text":"To be, or not to be."}' | ./text-stats */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    input_bytes_max = 4 << 20,
    words_max = 1 << 17, /* different words; a power of two */
    word_bytes_max = 64,
    depth_max = 64, /* nesting of values beside the text */
    top_count = 10,
};

static char input[input_bytes_max + 1];
static char text[input_bytes_max + 1];
static char scratch[input_bytes_max + 1]; /* names, and strings that nobody asked for */
static const char *at = input; /* the parser's place in the input */

struct word {
    char letters[word_bytes_max + 1];
    int count;
};

static struct word words[words_max]; /* open addressing, count 0 is free */
static int distinct, tokens;

/* Writing ------------------------------------------------------------------------------------------------------------- */

static void put_string(const char *bytes) {
    putchar('"');
    for (; *bytes; bytes++) {
        unsigned char byte = *bytes;
        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte == '\n')
            printf("\\n");
        else if (byte < 0x20)
            printf("\\u%04x", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static void end_frame(void) {
    puts("}");
    fflush(stdout); /* every frame reaches its reader at once */
}

static void put_message(const char *type, const char *message) {
    printf("{\"type\":\"%s\",\"message\":", type);
    put_string(message);
    end_frame();
}

static void put_token(const char *content) {
    printf("{\"type\":\"token\",\"content\":");
    put_string(content);
    end_frame();
    tokens++;
}

static void put_progress(int step, int total) {
    printf("{\"type\":\"progress\",\"step\":%d,\"total\":%d", step, total);
    end_frame();
}

/* A mistake in the input is answered, not a failure of this program's: the last frame says it. */
__attribute__((noreturn)) static void refuse(const char *message) {
    put_message("error", message);
    exit(1);
}

/* Reading JSON (RFC 8259) --------------------------------------------------------------------------------------------- */

/* Whether the input is UTF-8 (RFC 3629): no bytes that stand alone, nothing written longer than needed, no surrogates. */
static bool is_utf8(const unsigned char *byte) {
    while (*byte) {
        int following = *byte < 0x80 ? 0 : *byte >= 0xC2 && *byte < 0xE0 ? 1 : (*byte & 0xF0) == 0xE0 ? 2 : *byte >= 0xF0 && *byte < 0xF5 ? 3 : -1;
        if (following < 0) return false;
        unsigned scalar = following ? *byte & 0x3F >> following : *byte;
        byte++;
        for (int i = 0; i < following; i++, byte++) {
            if ((*byte & 0xC0) != 0x80) return false;
            scalar = scalar << 6 | (*byte & 0x3F);
        }
        if (following == 2 && (scalar < 0x800 || (scalar >= 0xD800 && scalar < 0xE000))) return false;
        if (following == 3 && (scalar < 0x10000 || scalar > 0x10FFFF)) return false;
    }
    return true;
}

static void skip_space(void) {
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
}

static bool take(char expected) {
    skip_space();
    if (*at != expected) return false;
    at++;
    return true;
}

static unsigned take_hex4(void) {
    unsigned value = 0;
    for (int digit = 0; digit < 4; digit++, at++) {
        char c = *at;
        const char *digits = "0123456789abcdef", *known = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
        if (!known) refuse("The input has a broken \\u escape.");
        value = value << 4 | (unsigned)(known - digits);
    }
    return value;
}

static char *append_utf8(char *to, unsigned scalar) {
    int following = scalar < 0x80 ? 0 : scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0x00, 0xC0, 0xE0, 0xF0};
    *to++ = leads[following] | scalar >> 6 * following;
    while (following--) *to++ = 0x80 | (scalar >> 6 * following & 0x3F);
    return to;
}

static unsigned take_unicode_escape(void) {
    unsigned unit = take_hex4();
    if (unit >= 0xD800 && unit < 0xDC00 && at[0] == '\\' && at[1] == 'u') {
        at += 2;
        unsigned low = take_hex4();
        if (low < 0xDC00 || low > 0xDFFF) refuse("The input has half a surrogate pair.");
        return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    if (unit >= 0xD800 && unit < 0xE000) refuse("The input has half a surrogate pair.");
    return unit ? unit : 0xFFFD; /* strings here end with a zero byte */
}

/* Reads a string into `to`, which has room for the whole input: an escape is never shorter than what it stands for. */
static void take_string(char *to) {
    if (!take('"')) refuse("The input is no JSON object: a string is missing.");
    for (;;) {
        unsigned char byte = *at++;
        if (byte == '"') break;
        if (byte < 0x20) refuse("The input has a string without an end, or with a control character.");
        if (byte != '\\') {
            *to++ = byte;
            continue;
        }
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        char name = *at++;
        const char *known = name ? strchr(names, name) : NULL;
        if (known)
            *to++ = values[known - names];
        else if (name == 'u')
            to = append_utf8(to, take_unicode_escape());
        else
            refuse("The input has an unknown escape.");
    }
    *to = 0;
}

/* Passes over a value that nobody asked for. */
static void skip_value(int depth) {
    if (depth > depth_max) refuse("The input is nested too deeply.");
    skip_space();
    if (*at == '"') {
        take_string(scratch);
    } else if (*at == '{' || *at == '[') {
        char end = *at++ == '{' ? '}' : ']';
        if (take(end)) return;
        do {
            if (end == '}') {
                take_string(scratch);
                if (!take(':')) refuse("The input has a name without a value.");
            }
            skip_value(depth + 1);
        } while (take(','));
        if (!take(end)) refuse("The input has a list or object without an end.");
    } else {
        size_t length = strspn(at, "+-.0123456789Eaeflnrstu"); /* numbers, true, false and null, not checked further */
        if (!length) refuse("The input is no JSON.");
        at += length;
    }
}

static void read_text(void) {
    size_t length = fread(input, 1, input_bytes_max, stdin);
    if (length == input_bytes_max) refuse("The input is larger than 4 MiB.");
    skip_space();
    if (!length || !*at) refuse("The input is empty. Send {\"text\": \"...\"}.");
    if (strlen(input) != length || !is_utf8((unsigned char *)input)) refuse("The input is not text in UTF-8.");
    if (!take('{')) refuse("The input is no JSON object.");
    bool found = false;
    if (!take('}')) {
        do {
            take_string(scratch);
            if (!take(':')) refuse("The input has a name without a value.");
            skip_space();
            if (strcmp(scratch, "text") == 0) {
                if (*at != '"') refuse("The field \"text\" is not a string.");
                take_string(text);
                found = true;
            } else {
                skip_value(1);
            }
        } while (take(','));
        if (!take('}')) refuse("The input has no end.");
    }
    skip_space();
    if (*at) refuse("The input goes on after its object.");
    if (!found) refuse("The field \"text\" is missing.");
}

/* Counting ------------------------------------------------------------------------------------------------------------ */

/* Letters, digits, the apostrophe, and every byte of a letter outside ASCII. */
static bool is_word_byte(unsigned char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '\'' || byte >= 0x80;
}

static void count_word(const char *bytes, size_t length) {
    char folded[word_bytes_max + 1];
    unsigned hash = 2166136261u; /* FNV-1a */
    if (length > word_bytes_max) length = word_bytes_max;
    while (length && length == word_bytes_max && (bytes[length] & 0xC0) == 0x80) length--; /* cut before a whole character */
    for (size_t i = 0; i < length; i++) {
        char byte = bytes[i];
        folded[i] = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
        hash = (hash ^ (unsigned char)folded[i]) * 16777619u;
    }
    folded[length] = 0;
    unsigned slot = hash & (words_max - 1);
    while (words[slot].count && strcmp(words[slot].letters, folded) != 0) slot = (slot + 1) & (words_max - 1);
    if (!words[slot].count) {
        if (distinct == words_max / 2) return; /* the table stays half empty; further new words are not ranked */
        strcpy(words[slot].letters, folded);
        distinct++;
    }
    words[slot].count++;
}

static int count_line(const char *line, const char *end) {
    int count = 0;
    while (line < end) {
        const char *start = line;
        while (line < end && is_word_byte(*line)) line++;
        if (line > start) {
            count_word(start, line - start);
            count++;
        } else {
            line++;
        }
    }
    return count;
}

/* Takes the most frequent word out of the table; of equals the first in the alphabet. */
static struct word *take_top(void) {
    struct word *top = NULL;
    for (struct word *word = words; word < words + words_max; word++) {
        if (!word->count) continue;
        if (!top || word->count > top->count || (word->count == top->count && strcmp(word->letters, top->letters) < 0)) top = word;
    }
    return top;
}

int main(void) {
    char message[word_bytes_max + 64];
    read_text();
    int lines = 1, step = 0, total = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n' && c[1];
    put_message("status", "counting");

    for (const char *line = text; *line; ) {
        const char *end = strchr(line, '\n');
        if (!end) end = line + strlen(line);
        int count = count_line(line, end);
        total += count;
        snprintf(message, sizeof message, "line %d: %d word%s\n", ++step, count, count == 1 ? "" : "s");
        put_token(message);
        put_progress(step, lines);
        line = *end ? end + 1 : end;
    }
    snprintf(message, sizeof message, "total: %d word%s, %d different\n", total, total == 1 ? "" : "s", distinct);
    put_token(message);

    for (int rank = 1; rank <= top_count; rank++) {
        struct word *top = take_top();
        if (!top) break;
        snprintf(message, sizeof message, "%d. %.*s: %d\n", rank, word_bytes_max, top->letters, top->count);
        put_token(message);
        top->count = 0;
    }
    printf("{\"type\":\"done\",\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d}", total, tokens, total + tokens);
    end_frame();
    return 0;
}
