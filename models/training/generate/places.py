"""Invented postal addresses in the forms of mainland China, Hong Kong, Taiwan, the United States, Britain, Singapore, Australia and India."""

from __future__ import annotations

from random import Random

from generate.people import People

CITIES_ZH = """
北京市|北京市:朝阳区 海淀区 丰台区 西城区 东城区 通州区 昌平区 大兴区;上海市|上海市:浦东新区 徐汇区 静安区 闵行区 黄浦区 杨浦区 松江区 嘉定区 普陀区;天津市|天津市:南开区 和平区 河西区 滨海新区;重庆市|重庆市:渝中区 江北区 沙坪坝区 九龙坡区;
广东省|广州市:天河区 越秀区 海珠区 番禺区 白云区;广东省|深圳市:南山区 福田区 宝安区 龙岗区 罗湖区 龙华区;广东省|东莞市:南城街道 长安镇 虎门镇;广东省|佛山市:禅城区 顺德区 南海区;广东省|珠海市:香洲区 斗门区;
浙江省|杭州市:西湖区 滨江区 余杭区 萧山区 拱墅区 上城区;浙江省|宁波市:鄞州区 海曙区 江北区;浙江省|温州市:鹿城区 瓯海区;浙江省|金华市:义乌市 婺城区;江苏省|南京市:鼓楼区 玄武区 建邺区 江宁区 栖霞区;江苏省|苏州市:姑苏区 吴中区 工业园区 昆山市;
江苏省|无锡市:滨湖区 梁溪区;江苏省|常州市:武进区 天宁区;四川省|成都市:武侯区 锦江区 青羊区 高新区 金牛区 双流区;四川省|绵阳市:涪城区 游仙区;湖北省|武汉市:洪山区 武昌区 江汉区 汉阳区;湖北省|宜昌市:西陵区;湖南省|长沙市:岳麓区 雨花区 开福区;
湖南省|株洲市:天元区 荷塘区;陕西省|西安市:雁塔区 碑林区 未央区 高新区;山东省|济南市:历下区 市中区;山东省|青岛市:市南区 崂山区 黄岛区;山东省|烟台市:芝罘区 莱山区;河南省|郑州市:金水区 二七区 中原区;河南省|洛阳市:涧西区 西工区;
河北省|石家庄市:长安区 裕华区;河北省|保定市:竞秀区 莲池区;辽宁省|沈阳市:和平区 沈河区 铁西区;辽宁省|大连市:中山区 沙河口区 甘井子区;吉林省|长春市:朝阳区 南关区;黑龙江省|哈尔滨市:南岗区 道里区;福建省|福州市:鼓楼区 仓山区;福建省|厦门市:思明区 湖里区;
福建省|泉州市:丰泽区 晋江市;江西省|南昌市:东湖区 红谷滩区;安徽省|合肥市:蜀山区 庐阳区 包河区;安徽省|芜湖市:镜湖区;云南省|昆明市:五华区 盘龙区;贵州省|贵阳市:云岩区 观山湖区;广西壮族自治区|南宁市:青秀区 兴宁区;广西|桂林市:七星区;
海南省|海口市:龙华区 美兰区;山西省|太原市:小店区 迎泽区;内蒙古自治区|呼和浩特市:赛罕区;甘肃省|兰州市:城关区 七里河区;新疆维吾尔自治区|乌鲁木齐市:天山区 沙依巴克区;宁夏回族自治区|银川市:兴庆区 金凤区;青海省|西宁市:城西区;西藏自治区|拉萨市:城关区
"""
ROADS_ZH = """
中山 人民 解放 建设 文三 天目山 科技园 学府 长江 黄河 和平 胜利 新华 延安 南京 北京 淮海 西湖 龙井 凤起 环城 滨河 迎宾 朝阳 光明 幸福 文化 体育 教育 工业 创业 创新 软件园 高新 祖冲之 张江 世纪 丰潭 莫干山 体育场 虹桥 漕溪 天山 龙华 衡山 复兴 五四 八一 湖滨 园区
深南 红荔 彩田 华强 科苑 学苑 麒麟 梅林 景田 锦绣 天府 蜀汉 玉林 芳草 一环 二环 三环 花园 桂花 梧桐 银杏 翠竹 松涛 云山 望江 滨江 江南 江北 东风 西安 太白 含光 友谊 雁翔 长安 经开 汉口 珞喻 光谷 关山 楚河 麓山 湘江 五一 芙蓉
""".split()
ESTATES_ZH = """
阳光花园 翠苑小区 金色家园 万科城市花园 绿地世纪城 保利香槟国际 碧桂园 恒大名都 融创玖樟台 龙湖春江郦城 中海国际社区 华润二十四城 世茂滨江 水岸新都 江南名府 御景湾 星河湾 锦绣江南 书香门第 东方明珠花园 紫金名门 凤凰城 丽景苑 怡和家园 春晓苑 桂花园 望京花园
天通苑 回龙观龙泽苑 梅园新村 曹杨新村 康乐小区 幸福里 枫丹白露 橡树湾 香樟园 湖畔雅居 滨河家园 学府花园 博雅苑 教师公寓 机关家属院 纺织厂宿舍 光大花园 荔湾新城 星汇云锦 珠江帝景 汇景新城 丽江花园 海伦堡 时代倾城
""".split()
BUILDINGS_ZH = "国贸大厦 创业大厦 科技大厦 腾飞大厦 环球金融中心 软件园二期 银泰中心 财富广场 时代广场 数码港 新世界中心 联合大厦 嘉里中心 绿地中心 万达广场 软件产业基地 生物医药产业园 跨境电商产业园".split()
VILLAGES_ZH = "李家村 张庄 石桥村 大王庄 小河村 杨树沟村 柳林村 双桥村 红旗村 东升村 前进村 新民村 桃花坞 上坝村 下塘村 南岭村 刘家湾 马家堡 北坡村 西营村".split()
STREETS_EN = """
Elm Oak Maple Cedar Pine Walnut Chestnut Willow Birch Spruce Washington Lincoln Jefferson Madison Franklin Jackson Monroe Park Lake Hill Sunset River Church Mill Spring Highland Forest Meadow Orchard Prospect Pleasant Liberty Union Market
Broad Main Bridge Station Victoria Albert King Queen Windsor Granby Clifton Kingsway Beech Ashford Holly Laurel Magnolia Juniper Hawthorn Sycamore Fernwood Brookside Ridgeview Harbor Bayview Northfield Southgate Eastbrook Westbourne Garfield
""".split()
KINDS_US = "St Street Ave Avenue Rd Road Blvd Boulevard Ln Lane Dr Drive Ct Court Pl Way Terrace Circle Pkwy".split()
KINDS_UK = "Road Street Lane Avenue Close Crescent Gardens Terrace Drive Grove Way Mews Hill Row Walk".split()
CITIES_US = """
Springfield, IL 62704;Austin, TX 78745;Portland, OR 97214;Columbus, OH 43215;Denver, CO 80209;Madison, WI 53703;Raleigh, NC 27606;Tucson, AZ 85711;Boise, ID 83702;Savannah, GA 31401;Fremont, CA 94536;San Jose, CA 95126;Brooklyn, NY 11215;
Queens, NY 11354;Newark, NJ 07105;Baltimore, MD 21218;Pittsburgh, PA 15217;Omaha, NE 68104;Tampa, FL 33606;Seattle, WA 98115;Spokane, WA 99203;Albany, NY 12208;Cambridge, MA 02139;Worcester, MA 01609;Dayton, OH 45419;Ann Arbor, MI 48104;
Nashville, TN 37206;Memphis, TN 38104;Salt Lake City, UT 84105;Reno, NV 89509;Santa Fe, NM 87505;Burlington, VT 05401;Bangor, ME 04401;Providence, RI 02906;El Paso, TX 79912;Houston, TX 77008;Irvine, CA 92618;Sunnyvale, CA 94086
""".replace("\n", "").split(";")
CITIES_UK = """
Leeds LS6 3BN;Manchester M14 5TQ;Bristol BS6 5PH;London SE15 4QL;London N7 8GT;London W4 2PX;Birmingham B13 8DP;Sheffield S7 1FG;Liverpool L17 3BA;Cardiff CF24 3AN;Edinburgh EH9 1QP;Glasgow G12 8LX;Nottingham NG7 2GR;Reading RG1 5SB;Oxford OX4 1RQ;
Cambridge CB1 3NA;York YO10 4DD;Norwich NR2 3JH;Brighton BN2 3EP;Exeter EX4 6PT;Swansea SA2 0FP;Belfast BT9 6AZ;Leicester LE2 1WX;Coventry CV5 6FN;Hull HU5 2DT;Croydon CR0 2XG
""".replace("\n", "").split(";")
HONG_KONG_EN = "Nathan Road, Mong Kok, Kowloon;Hennessy Road, Wan Chai, Hong Kong;Castle Peak Road, Tsuen Wan, N.T.;King's Road, North Point, Hong Kong;Argyle Street, Kowloon;Des Voeux Road West, Sai Ying Pun;Tai Po Road, Sha Tin, New Territories".split(";")
HONG_KONG_ZH = "九龙旺角弥敦道;香港湾仔轩尼诗道;新界荃湾青山公路;港岛北角英皇道;九龙观塘开源道;新界沙田大围道;香港中环德辅道中".split(";")
SINGAPORE = "Ang Mo Kio Ave 3;Tampines Street 81;Bedok North Road;Clementi Ave 2;Toa Payoh Lorong 4;Jurong West St 42;Bukit Batok West Ave 6;Serangoon Central;Pasir Ris Drive 6;Orchard Boulevard".split(";")
TAIWAN = "台北市大安区忠孝东路四段;新北市板桥区文化路一段;台中市西屯区台湾大道三段;高雄市左营区博爱二路;台北市信義區松仁路;桃園市中壢區中山路;新竹市東區光復路二段;臺南市東區崇學路".split(";")
INDIA = "HSR Layout, Bengaluru 560102;Andheri West, Mumbai 400058;Sector 62, Noida 201309;Koregaon Park, Pune 411001;Velachery, Chennai 600042;Salt Lake, Kolkata 700091;Banjara Hills, Hyderabad 500034".split(";")
AUSTRALIA = "Newtown NSW 2042;Fitzroy VIC 3065;West End QLD 4101;Subiaco WA 6008;Norwood SA 5067;Hobart TAS 7000;Parramatta NSW 2150".split(";")


def districts() -> list[tuple[str, str, str]]:
    rows = []
    for entry in CITIES_ZH.replace("\n", "").split(";"):
        head, tail = entry.split(":")
        province, city = head.split("|")
        rows += [(province, city, district) for district in tail.split()]
    return rows


DISTRICTS = districts()


class Places:
    """Draws addresses down to the street, the building or the room."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def chinese(self) -> str:
        random = self.random
        kind = random.random()
        if kind < 0.04:
            return f"{random.choice(HONG_KONG_ZH)}{random.randint(1, 900)}号{random.choice(BUILDINGS_ZH)}{random.randint(2, 40)}楼{random.choice('ABCDEF')}室"
        if kind < 0.09:
            return f"{random.choice(TAIWAN)}{random.randint(1, 400)}{random.choice(['号', '號'])}{random.choice(['', f'{random.randint(2, 14)}楼', f'{random.randint(2, 14)}樓之{random.randint(1, 4)}'])}"
        province, city, district = random.choice(DISTRICTS)
        province = "" if province == city else province
        if random.random() < 0.4:
            province = random.choice(["", province.replace("省", "").replace("壮族自治区", "").replace("维吾尔自治区", "").replace("回族自治区", "").replace("自治区", "")])
        if random.random() < 0.3:
            city = city.removesuffix("市")
        head = random.choice([province + city + district, city + district, city + district, district, city, "", province + city + district])
        separator = " " if random.random() < 0.06 else ""
        return separator.join(part for part in (head, self.chinese_street(), self.chinese_unit()) if part)

    def chinese_street(self) -> str:
        random = self.random
        kind = random.random()
        if kind < 0.08:
            return f"{random.choice(['', '城关镇', '新城镇', '东风乡', '南桥镇', '石龙镇'])}{random.choice(VILLAGES_ZH)}{random.choice(['', f'{random.randint(1, 12)}组', f'{random.randint(1, 300)}号', f'{random.randint(1, 9)}队'])}"
        road = random.choice(ROADS_ZH) + random.choice(["路", "路", "路", "大道", "街", "东路", "西路", "南路", "北路", "中路", "巷", "大街"])
        number = f"{random.randint(1, 1999)}号"
        if random.random() < 0.15:
            number = f"{random.randint(1, 300)}弄{random.randint(1, 60)}号"
        if kind < 0.25:
            return road + number
        if kind < 0.50:
            return random.choice(ESTATES_ZH)
        if kind < 0.80:
            return road + number + random.choice(ESTATES_ZH)
        return road + number + random.choice(BUILDINGS_ZH)

    def chinese_unit(self) -> str:
        random = self.random
        block, unit, room = random.randint(1, 40), random.randint(1, 6), random.randint(1, 33) * 100 + random.randint(1, 8)
        return random.choice(
            [
                f"{block}栋{unit}单元{room}室",
                f"{block}号楼{unit}单元{room}",
                f"{block}幢{room}室",
                f"{block}栋{room}",
                f"{random.choice('ABCDE')}座{room}",
                f"{block}-{unit}-{room}",
                f"{random.randint(2, 30)}楼",
                f"{random.choice('ABCD')}座{random.randint(2, 30)}层",
                f"{block}号楼{room}室",
                f"{unit}单元{room}",
                "",
                "",
            ]
        )

    def chinese_spoken(self) -> str:
        """Part of an address, as one says it in a chat."""
        random = self.random
        return random.choice(
            [
                random.choice(ESTATES_ZH) + random.choice([f"{random.randint(1, 30)}栋", f"{random.randint(1, 30)}号楼{random.randint(101, 3304)}", f"{random.randint(1, 6)}单元{random.randint(2, 30)}楼"]),
                random.choice(ROADS_ZH) + "路" + f"{random.randint(1, 999)}号",
                random.choice(BUILDINGS_ZH) + f"{random.choice('ABC')}座{random.randint(2, 40)}楼",
                random.choice(DISTRICTS)[2] + random.choice(ROADS_ZH) + "路" + random.choice(ESTATES_ZH),
                random.choice(VILLAGES_ZH) + f"{random.randint(1, 12)}组",
            ]
        )

    def english(self) -> str:
        random = self.random
        kind = random.random()
        number, street = random.randint(1, 9999), random.choice(STREETS_EN)
        if kind < 0.42:
            unit = random.choice(["", "", f" Apt {random.randint(1, 40)}{random.choice('ABCD')}", f", Unit {random.randint(1, 300)}", f" #{random.randint(1, 900)}", f", Suite {random.randint(100, 900)}", f" Apt. {random.randint(1, 999)}"])
            direction = random.choice(["", "", "", "N ", "W ", "SE ", "North "])
            return f"{number} {direction}{street} {random.choice(KINDS_US)}{unit}, {random.choice(CITIES_US)}"
        if kind < 0.62:
            flat = random.choice(["", "", f"Flat {random.randint(1, 40)}, ", f"Flat {random.randint(1, 9)}{random.choice('ABC')}, ", "The Old Rectory, ", "Rose Cottage, "])
            return f"{flat}{random.randint(1, 220)} {street} {random.choice(KINDS_UK)}, {random.choice(CITIES_UK)}"
        if kind < 0.70:
            return f"Flat {random.choice('ABCDEFGH')}, {random.randint(2, 40)}/F, {random.randint(1, 800)} {random.choice(HONG_KONG_EN)}"
        if kind < 0.78:
            return f"Blk {random.randint(1, 900)} {random.choice(SINGAPORE)} #{random.randint(1, 25):02d}-{random.randint(1, 999):02d}, Singapore {random.randint(100000, 829999)}"
        if kind < 0.83:
            return f"{random.choice(['', 'Flat 302, ', 'B-14, ', 'No. '])}{random.randint(1, 200)}, {random.randint(1, 20)}th Cross, {random.choice(INDIA)}"
        if kind < 0.88:
            return f"{random.choice(['', f'{random.randint(1, 30)}/'])}{random.randint(1, 300)} {street} {random.choice(KINDS_UK)}, {random.choice(AUSTRALIA)}"
        if kind < 0.94:
            province, city, district = random.choice(DISTRICTS)
            del province
            _, spellings, _, pinyin = People(random).chinese_parts()
            return f"Room {random.randint(101, 3208)}, No. {random.randint(1, 999)} {pinyin.capitalize()} Road, {spellings[0]}{'hai' if len(district) > 3 else 'an'} District, {random.choice(['Shanghai', 'Beijing', 'Shenzhen', 'Hangzhou', 'Chengdu', 'Guangzhou', 'Nanjing'])}{random.choice(['', ' 200030', ', China', ', P.R. China'])}"
        return f"P.O. Box {random.randint(10, 9999)}, {random.choice(CITIES_US)}"

    def english_spoken(self) -> str:
        random = self.random
        number, street, kind = random.randint(1, 999), random.choice(STREETS_EN), random.choice(KINDS_US[:10])
        return random.choice(
            [
                f"{number} {street} {kind}",
                f"{number} {street} {kind}, apartment {random.randint(1, 40)}{random.choice('ABC')}",
                f"{number} {street.lower()} {kind.lower()}",
                f"apartment {random.randint(1, 30)}{random.choice('ABCD')}, {number} {street} {kind}",
                f"flat {random.randint(1, 30)}, {number} {street} {random.choice(KINDS_UK)}",
                f"{random.randint(1, 99)} {street} {random.choice(KINDS_UK)}, {random.choice(CITIES_UK).rsplit(' ', 2)[0]}",
                f"{number} {street} {kind} in {random.choice(CITIES_US).split(',')[0]}",
            ]
        )
