"""244 kinds of small generated data, compressed by Python's zlib at several levels and settings.
The first 52 are tried with all settings, the others, families of like kinds, with the usual ones only.

zoo.py sizes            prints a line for each case: kind, bytes, level, setting, compressed bytes
zoo.py judge A B        compares two such lists, zlib's and ours: a report, and exit status 1 when ours is too large
zoo.py mixtures         prints such lines for random sequences of these kinds, with random settings and flushes
zoo.py judge_mixtures A B
"""
import zlib,struct,random,sys,base64,math,json,quopri,urllib.parse
R=random.Random(7)
def rep(f,n):
    b=bytearray()
    while len(b)<n: b+=f(len(b))
    return bytes(b[:n])
K={}
for w in (2,3,4,8):
    for st in (1,3,256,1000): K['ramp%d_%d'%(w,st)]=lambda n,w=w,st=st: b''.join(((i*st)&((1<<8*w)-1)).to_bytes(w,'little') for i in range(n//w+1))[:n]
K['float']=lambda n: b''.join(struct.pack('<f',round(math.sin(i/50)*100)/10) for i in range(n//4+1))[:n]
K['double']=lambda n: b''.join(struct.pack('<d',round(math.sin(i/50)*100)/10) for i in range(n//8+1))[:n]
def aos(n):
    r=random.Random(1); return b''.join(struct.pack('<IHBBd',i,r.randrange(50),r.randrange(4),0,r.randrange(100)/4) for i in range(n//16+1))[:n]
K['aos']=aos
def soa(n):
    r=random.Random(1);m=n//4; return (b''.join(struct.pack('<I',i) for i in range(m//4))+bytes(r.randrange(4) for _ in range(m))+b''.join(struct.pack('<H',r.randrange(50)) for _ in range(m//2))+b''.join(struct.pack('<I',r.randrange(1000)*25) for _ in range(m//4)))[:n]
K['soa']=soa
def pix(n):
    r=random.Random(2);pal=[bytes(r.randrange(256) for _ in range(3)) for _ in range(6)]; return rep(lambda p:pal[r.randrange(6)]*r.randrange(1,9),n)
K['pix24']=pix
K['grad']=lambda n: bytes((x+y)//4&255 for y in range(n//256+1) for x in range(256))[:n]
K['mask']=lambda n: bytes(255 if (x-128)**2+(y%256-128)**2<8000 else 0 for y in range(n//256+1) for x in range(256))[:n]
def bitmap(n):
    r=random.Random(3);row=bytearray(64);o=bytearray()
    while len(o)<n:
        for _ in range(2): row[r.randrange(64)]^=1<<r.randrange(8)
        o+=row
    return bytes(o[:n])
K['bitmap']=bitmap
def sparse(n):
    r=random.Random(4);o=bytearray(n)
    for _ in range(n//100): o[r.randrange(n)]=1<<r.randrange(8)
    return bytes(o)
K['sparse']=sparse
def pngf(n):
    r=random.Random(5); return rep(lambda p:bytes([1])+bytes((r.choice([0,0,0,1,255,2,254]))&255 for _ in range(300)),n)
K['pngrows']=pngf
K['sound']=lambda n: b''.join(struct.pack('<h',int(8000*math.sin(i/20)+random.Random(i).randrange(-50,50))) for i in range(n//2+1))[:n]
for p in (1,2,3,5,7,13,100): K['period%d'%p]=lambda n,p=p: (bytes(random.Random(p).randrange(256) for _ in range(p))*(n//p+1))[:n]
for p in (16000,20000,24000,30000,32000): K['noise%d'%p]=lambda n,p=p:(random.Random(p).randbytes(p)*(n//p+1))[:n]
K['noise']=lambda n: random.Random(9).randbytes(n)
K['b64']=lambda n: base64.b64encode(random.Random(9).randbytes(n))[:n]
K['hex']=lambda n: random.Random(9).randbytes(n).hex().encode()[:n]
def text():
    return open('../data/text','rb').read()
K['prose']=lambda n:text()[:n]
K['utf16']=lambda n:text()[:n//2+1].decode('latin1').encode('utf-16-le')[:n]
K['dna']=lambda n: (lambda r: bytes(r.choice(b'ACGT') for _ in range(n)))(random.Random(6))
def csv(n):
    r=random.Random(8);return rep(lambda p:b'%d,%d,%.2f,%s\n'%(p,r.randrange(1000),r.random()*100,r.choice([b'red',b'green',b'blue'])),n)
K['csv']=csv
K['logs']=lambda n: rep(lambda p,r=random.Random(14):b'{"ts":"2026-11-%02dT%02d:%02d:%02dZ","level":"%s","user":%d,"ms":%d}\n'%(r.randrange(1,29),r.randrange(24),r.randrange(60),r.randrange(60),r.choice([b'info',b'warn']),r.randrange(100000),r.randrange(900)),n)
K['keys']=lambda n: rep(lambda p,r=random.Random(10):b'user:%08x:%04x\n'%(r.getrandbits(32),r.randrange(100)),n)
def runs(n):
    r=random.Random(11);o=bytearray(b'\0'*n)
    for i in range(0,n,997): o[i]=r.randrange(256)
    return bytes(o)
K['runs']=runs
K['exe']=lambda n:open('/usr/bin/python3','rb').read()[1000000:1000000+n]
K['offsets']=lambda n:b''.join(struct.pack('<I',x) for x in (lambda r:[s for s in __import__('itertools').accumulate(r.randrange(10,200) for _ in range(n//4+1))])(random.Random(12)))[:n]
K['rows']=lambda n: rep(lambda p,r=random.Random(13):(lambda b:(b.__setitem__(r.randrange(200),r.randrange(256)),bytes(b))[1])(bytearray(b'The same row again and again with little changes.  '*4)),n)
FIRST=len(K)
def words(form,values): return b''.join(struct.pack(form,v) for v in values)
def walk(seed,n,step):
    r=random.Random(seed);v=0
    for _ in range(n): v+=r.randrange(-step,step+1);yield v
for w,f in ((2,'>H'),(4,'>I'),(8,'>Q')):
    for st in (1,7,250): K['big_endian%d_%d'%(w,st)]=lambda n,w=w,f=f,st=st: words(f,((i*st)%(1<<8*w) for i in range(n//w+1)))[:n]
for step in (3,30,300,3000):
    K['walk16_%d'%step]=lambda n,step=step: words('<h',(v%65536-32768 for v in walk(step,n//2+1,step)))[:n]
    K['walk32_%d'%step]=lambda n,step=step: words('<i',walk(step,n//4+1,step))[:n]
    K['stereo_%d'%step]=lambda n,step=step: b''.join(struct.pack('<hh',v%65536-32768,(v+v//7)%65536-32768) for v in walk(step,n//4+1,step))[:n]
for p in (10,37,200,1000):
    K['wave_float%d'%p]=lambda n,p=p: words('<f',(math.sin(i/p) for i in range(n//4+1)))[:n]
    K['wave_round%d'%p]=lambda n,p=p: words('<f',(round(math.sin(i/p),2) for i in range(n//4+1)))[:n]
    K['wave_double%d'%p]=lambda n,p=p: words('<d',(round(math.cos(i/p),3) for i in range(n//8+1)))[:n]
def planes(d,w): return b''.join(d[k::w] for k in range(w))
for w,name in ((2,'walk16_30'),(4,'walk32_30'),(4,'wave_float37'),(8,'wave_double37'),(4,'ramp4_3'),(8,'ramp8_1000')):
    K['planes_'+name]=lambda n,w=w,name=name: planes(K[name](n//w*w),w)
def deltas(d): return bytes((b-a)&255 for a,b in zip(b'\0'+d,d))
for name in ('grad','walk16_30','ramp4_3','exe','bitmap','pix24'): K['deltas_'+name]=lambda n,name=name: deltas(K[name](n))
for colours in (2,3,16,64):
    for pixel in (1,2,3,4): K['pixels%d_%d'%(colours,pixel)]=lambda n,c=colours,b=pixel: (lambda r:(lambda pal: rep(lambda p: pal[min(c-1,int(r.expovariate(1)*c/4))]*r.randrange(1,12),n))([r.randbytes(b) for _ in range(c)]))(random.Random(c*10+b))
for one_in in (3,10,30,300): K['bits1in%d'%one_in]=lambda n,k=one_in: bytes(sum((r.randrange(k)==0)<<b for b in range(8)) for r in [random.Random(k)] for _ in range(n))
for one_in in (5,20,100,1000): K['broken_run%d'%one_in]=lambda n,k=one_in: (lambda r: bytes(r.randrange(1,256) if r.randrange(k)==0 else 0 for _ in range(n)))(random.Random(k+1))
for width in (16,60,200,1000):
    K['table%d'%width]=lambda n,w=width: rep(lambda p,r=random.Random(w): (b'%-*d'%(w//2,r.randrange(10**6))+b'%*.3f'%(w-w//2-1,r.random())+b'\n'),n)
    K['rows%d'%width]=lambda n,w=width: (lambda r:(lambda row: rep(lambda p:(row.__setitem__(r.randrange(w),r.randrange(256)),bytes(row))[1],n))(bytearray(r.randbytes(w))))(random.Random(w))
for alphabet in (2,3,4,6,16,20,64,100): K['letters%d'%alphabet]=lambda n,a=alphabet: (lambda r: bytes(32+r.randrange(a) for _ in range(n)))(random.Random(a))
for alphabet in (4,16,64): K['skewed%d'%alphabet]=lambda n,a=alphabet: (lambda r: bytes(min(a-1,int(r.expovariate(0.7))) for _ in range(n)))(random.Random(a+5))
for p in (4,6,9,17,33,64,129,257,300,1000,4000): K['period%d'%p]=lambda n,p=p: (random.Random(p).randbytes(p)*(n//p+1))[:n]
for p in (300,2000,9000): K['near_period%d'%p]=lambda n,p=p: (lambda r,d: (lambda o:([o.__setitem__(r.randrange(n),r.randrange(256)) for _ in range(n//50)],bytes(o))[1])(bytearray((d*(n//p+1))[:n])))(random.Random(p),random.Random(p+1).randbytes(p))
for sep in (b'\t',b';',b' | '): K['columns_%d'%len(sep)]=lambda n,s=sep: rep(lambda p,r=random.Random(len(s)): s.join(str(r.randrange(10**r.randrange(1,7))).encode() for _ in range(7))+b'\n',n)
K['xml']=lambda n: rep(lambda p,r=random.Random(31): b'<item id="%d"><name>n%d</name><price currency="EUR">%.2f</price></item>\n'%(p,r.randrange(500),r.random()*90),n)
K['sql']=lambda n: rep(lambda p,r=random.Random(32): b"INSERT INTO t VALUES (%d,'%s',%d,NULL);\n"%(p,b'abcdefghij'[r.randrange(9):],r.randrange(10**5)),n)
K['fastq']=lambda n: rep(lambda p,r=random.Random(33): b'@read.%d\n%s\n+\n%s\n'%(p,bytes(r.choice(b'ACGT') for _ in range(100)),bytes(33+min(40,int(r.expovariate(0.1))) for _ in range(100))),n)
K['urls']=lambda n: rep(lambda p,r=random.Random(34): b'https://www.example.org/%s/%d?q=%x\n'%(r.choice([b'a',b'images',b'users']),r.randrange(1000),r.getrandbits(24)),n)
K['addresses']=lambda n: rep(lambda p,r=random.Random(35): b'10.%d.%d.%d - - [29/Nov/2026:%02d:%02d:%02d] "GET /%d" 200\n'%(r.randrange(4),r.randrange(256),r.randrange(256),p%24,p%60,p*7%60,r.randrange(99)),n)
K['source']=lambda n: open(__file__,'rb').read()[:n] if n<3000 else (open(__file__,'rb').read()*(n//2000+1))[:n]
K['utf8']=lambda n: text()[:n].decode('latin1').replace('e','\u00e9').replace('a','\u4e2d').encode()[:n]
K['utf32']=lambda n: text()[:n//4+1].decode('latin1').encode('utf-32-le')[:n]
K['uuid']=lambda n: rep(lambda p,r=random.Random(36): b'%08x-%04x-4%03x-%04x-%012x\n'%(r.getrandbits(32),r.getrandbits(16),r.getrandbits(12),r.getrandbits(16),r.getrandbits(48)),n)
K['points']=lambda n: b''.join(struct.pack('<fff',round(a,1),round(b,1),0.0) for a,b in zip((v/10 for v in walk(1,n//12+1,9)),(v/10 for v in walk(2,n//12+1,9))))[:n]
K['indices']=lambda n: b''.join(struct.pack('<III',i,i+1,i+200) for i in range(n//12+1))[:n]
K['flags']=lambda n: (lambda r: b''.join(struct.pack('<HBB',r.randrange(8)<<9,r.randrange(2),255) for _ in range(n//4+1))[:n])(random.Random(37))
K['times']=lambda n: (lambda r: b''.join(struct.pack('<qi',1764400000000+i*1000+r.randrange(900),r.randrange(100)) for i in range(n//12+1))[:n])(random.Random(38))
# Texts of other alphabets, escaped: each character is several bytes with a common start.
def cyrillic(n):
    r=random.Random(39); syllables=[''.join(chr(0x430+r.randrange(32)) for _ in range(r.randrange(2,4))) for _ in range(60)]
    words=[''.join(r.choice(syllables) for _ in range(r.randrange(1,5))) for _ in range(1500)]
    return ' '.join(words[min(1499,int(r.expovariate(.01)))] for _ in range(n//8+9))
K['escaped_json']=lambda n: json.dumps(cyrillic(n)).encode()[:n]
K['escaped_percent']=lambda n: urllib.parse.quote(cyrillic(n)).encode()[:n]
K['escaped_quoted']=lambda n: quopri.encodestring(cyrillic(n).encode())[:n]
def changed(d,seed):
    # One byte in fifty is another of the data's own.
    r=random.Random(seed); b=bytearray(d)
    for i in range(len(b)):
        if r.random()<.02: b[i]=r.choice(b)
    return bytes(b)
FAR={'hex':lambda r:b'%x'%r.randrange(16),'dna':lambda r:r.choice((b'A',b'C',b'G',b'T')),'numbers':lambda r:b'%d '%r.randrange(10**6),'skewed':lambda r:bytes([64+min(30,int(r.expovariate(.3)))]),'bits':lambda r:r.choice((b'0',b'1'))}
for name in FAR:
    for p in (5000,8000,12000,20000,30000):
        K['far_%s%d'%(name,p)]=lambda n,f=FAR[name],p=p: (lambda r: rep(lambda at: f(r),p)*(n//p+1))(random.Random(p))[:n]
        K['changed_%s%d'%(name,p)]=lambda n,f=FAR[name],p=p: changed((lambda r: rep(lambda at: f(r),p)*(n//p+1))(random.Random(p))[:n],n)
# Data that nearly repeats: waves of two values, dithered images, lines, rules that produce patterns.
def bits(n,bit): return bytes(sum(bit(8*i+j)<<7-j for j in range(8)) for i in range(n))
def samples_of(n,bit): return bytes(65+bit(i) for i in range(n))
def square(step): return lambda t: math.sin(t*step)>0
def line(a,b): return lambda t: (t+1)*a//b-t*a//b
def dither(light): return lambda t: light(t%640,t//640)>((0,8,2,10),(12,4,14,6),(3,11,1,9),(15,7,13,5))[t//640%4][t%4]
PATTERNS={'square1':square(.0371),'square2':square(.31),'square3':square(1.7),'line1':line(173,640),'line2':line(610,987),'line3':line(5,37),
    'dither1':dither(lambda x,y:x/40),'dither2':dither(lambda x,y:(math.sin(x/50)+math.sin(y/37)+2)*4),'parity':lambda t:bin(t).count('1')%2,'sierpinski':lambda t:t%321&t//321==0}
for name in PATTERNS:
    K['bits_'+name]=lambda n,bit=PATTERNS[name]: bits(n,bit)
    K['bytes_'+name]=lambda n,bit=PATTERNS[name]: samples_of(n,bit)
K['sine']=lambda n: bytes(int(128+100*math.sin(t*.01)) for t in range(n))
K['stripes']=lambda n: b''.join((b'\xff\0\0',b'\0\xff\0',b'\0\0\xff')[int(t/7.3)%3] for t in range(n//3+1))[:n]
def run(d,level,cfg):
    wb,ml,st,fl=15,8,0,0
    if cfg=='filt': st=1
    if cfg=='w12': wb=12
    if cfg=='m1': ml=1
    if cfg=='m9': ml=9
    if cfg=='flush': fl=2000
    c=zlib.compressobj(level,zlib.DEFLATED,-wb,ml,st)
    o=b''
    for i in range(0,len(d),fl or len(d)):
        o+=c.compress(d[i:i+(fl or len(d))])
        if fl: o+=c.flush(zlib.Z_SYNC_FLUSH)
    o+=c.flush()
    if zlib.decompress(o,-15)!=d: return -1
    return len(o)

def sizes():
    for number, (kind, make) in enumerate(K.items()):
        settings = ("def", "filt", "w12", "m1", "m9", "flush") if number < FIRST else ("def", "flush")
        for count in (2000, 16000, 65000):
            data = make(count)
            for level in range(1, 10):
                for setting in settings:
                    print(kind, count, level, setting, run(data, level, setting))


def limit(kind, level):
    """How many times as large as zlib's a single case may be."""
    if kind.startswith("escaped_"):
        return 1.7 if level == "3" else 1.3
    if kind.startswith(("bits_", "bytes_")):
        return 2  # of a few hundred bytes
    if kind.startswith("changed_"):
        return 1.25
    if level == "1":
        return 1.2
    return 1.11 if level in "369" else 1.14


def judge(theirs, ours):
    """Aim: no case more than 2 % and 16 bytes larger. Fails where it is by far, or more often than it was."""
    worst, over, cases, logs = [], 0, 0, {}
    for left, right in zip(open(theirs), open(ours), strict=True):
        kind, count, level, setting, size = left.split()
        size, found = int(size), int(right.split()[-1])
        assert left.split()[:4] == right.split()[:4] and found > 0, (left, right)
        cases += 1
        logs.setdefault((level, setting), []).append(math.log(found / size))
        if found > 1.02 * size + 16:
            over += 1
            worst.append((found / size, kind, count, level, setting, size, found))
    for key, values in sorted(logs.items()):
        print("level %s %-5s mean %.3f" % (*key, math.exp(sum(values) / len(values))))
    worst.sort(reverse=True)
    print("%d of %d cases over 2 %%; the worst:" % (over, cases))
    for row in worst[:12]:
        print("%.3f %s %s bytes, level %s %s: %d, ours %d" % row)
    # With 256 hash heads (memLevel 1) luck decides more than the search does: those cases are reported only.
    far = [row for row in worst if row[4] != "m1" and row[0] > limit(row[1], row[3])]
    return 1 if far or over * 100 > 1.5 * cases or cases == 0 else 0


def mixture(seed):
    """A random sequence of pieces of all kinds, some of them twice, with a random setting and interval of flushes."""
    r = random.Random(seed)
    total, pieces, taken = r.choice((3000, 20000, 100000, 300000)), [], 0
    while taken < total:
        if len(pieces) > 8 and r.random() < 0.3:
            piece = r.choice(pieces)
        else:
            kind, count = r.choice(list(K)), r.choice((200, 2000, 20000, 60000))
            if kind not in samples:
                samples[kind] = K[kind](70000)
            start = r.randrange(70000 - count)
            piece = samples[kind][start:start + count]
        pieces.append(piece)
        taken += len(piece)
    level, window_bits, mem_level = r.randrange(1, 10), r.choice((15, 15, 15, 14, 12, 9)), r.choice((8, 8, 8, 9, 4, 1))
    strategy, interval = r.choice((0, 0, 0, 1)), r.choice((0, 0, 100, 1000, 5000, 30000))
    # Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK
    flush = r.choice((1, 2, 3, 5))
    data, packer, packed = b"".join(pieces), zlib.compressobj(level, zlib.DEFLATED, -window_bits, mem_level, strategy), b""
    for start in range(0, len(data), interval or len(data)):
        packed += packer.compress(data[start:start + (interval or len(data))]) + (packer.flush(flush) if interval else b"")
    packed += packer.flush()
    setting = "%d,%d,%d,%d,%d" % (window_bits, mem_level, strategy, interval, flush)
    print("mixture%d" % seed, len(data), level, setting, len(packed) if zlib.decompress(packed, -15) == data else -1)


samples = {}


def judge_mixtures(theirs, ours):
    """Fails where a mixture is much larger than zlib's, or more than one in fifty is larger by more than 4 % and 30 bytes."""
    rows, over, far = [], 0, 0
    for left, right in zip(open(theirs), open(ours), strict=True):
        size, found = int(left.split()[-1]), int(right.split()[-1])
        assert left.split()[:4] == right.split()[:4] and found > 0, (left, right)
        rows.append((found / size, right.strip(), size))
        over += found > 1.04 * size + 30
        far += found > 1.3 * size + 100
    rows.sort(reverse=True)
    print("%d of %d mixtures over 4 %%, mean %.3f; the worst:" % (over, len(rows), math.exp(sum(math.log(row[0]) for row in rows) / len(rows))))
    for row in rows[:8]:
        print("%.3f %s, zlib's %d" % row)
    return 1 if far or over * 50 > len(rows) or not rows else 0


if sys.argv[1] == "sizes":
    sizes()
elif sys.argv[1] == "mixtures":
    for seed in range(800):
        mixture(seed)
elif sys.argv[1] == "judge_mixtures":
    sys.exit(judge_mixtures(*sys.argv[2:]))
else:
    sys.exit(judge(*sys.argv[2:]))
