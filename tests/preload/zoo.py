"""Many kinds of small generated data, compressed by Python's zlib at several levels and settings.

zoo.py sizes      prints a line for each case: kind, bytes, level, setting, compressed bytes
zoo.py judge A B  compares two such lists, zlib's and ours: a report, and exit status 1 when ours is too large
"""
import zlib,struct,random,sys,base64,math
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
K['dna']=lambda n:bytes(random.Random(6).choice(b'ACGT') for _ in range(n))
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
def run(d,level,cfg):
    wb,ml,st,fl=15,8,0,0
    if cfg=='filt': st=1
    if cfg=='w12': wb=12
    if cfg=='m1': ml=1
    if cfg=='m9': ml=9
    if cfg=='flush': fl=2000
    c=zlib.compressobj(level,zlib.DEFLATED,-wb,ml,st)
    if fl:
        o=0
        for i in range(0,len(d),fl): o+=len(c.compress(d[i:i+fl]))+len(c.flush(zlib.Z_SYNC_FLUSH))
        return o+len(c.flush())
    o=c.compress(d)+c.flush()
    if zlib.decompress(o,-15)!=d: return -1
    return len(o)

def sizes():
    for kind, make in K.items():
        for count in (2000, 16000, 65000):
            data = make(count)
            for level in (1, 3, 6, 9):
                for setting in ("def", "filt", "w12", "m1", "m9", "flush"):
                    print(kind, count, level, setting, run(data, level, setting))


def judge(theirs, ours):
    """Aim: no case more than 2 % and 16 bytes larger. Fails where it is by far, or more often than it was."""
    worst, over, cases, logs = [], 0, 0, {}
    for left, right in zip(open(theirs), open(ours)):
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
    far = [row for row in worst if row[4] != "m1" and row[0] > (1.35 if row[3] == "1" else 1.12)]
    return 1 if far or over * 100 > 7 * cases else 0


if sys.argv[1] == "sizes":
    sizes()
else:
    sys.exit(judge(*sys.argv[2:]))
